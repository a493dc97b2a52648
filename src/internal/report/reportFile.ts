import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { messageOf } from "../../base/errorText.ts"

/** A file for a report. */
export interface ReportFile {
  /** Writes the report as JSON. Returns a message if it cannot. */
  readonly write: (report: unknown) => string | undefined
}

/** Checks that a report can be written to a file, before anything starts. Returns a message if it cannot. `setting` names the path. */
export const reportFile = (setting: string, path: string): ReportFile | string => {
  const refusal = (error: unknown) => `${setting} ${path} cannot be written: ${messageOf(error)}`
  try {
    const exists = existsSync(path)
    if (exists && statSync(path).isDirectory()) return refusal(new Error("it is a folder"))
    accessSync(exists ? path : dirname(resolve(path)), constants.W_OK)
  } catch (error) {
    return refusal(error)
  }
  return {
    write: (report) => {
      try {
        writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
        return undefined
      } catch (error) {
        return refusal(error)
      }
    }
  }
}
