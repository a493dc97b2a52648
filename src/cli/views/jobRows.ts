/** Jobs at a manager as lines of text. */
import { printable, table } from "../../base/format.ts"
import type { JobInfo } from "../../manager/models.ts"
import { shortIds } from "../remote/shortIds.ts"
import { ending } from "./board.ts"
import { cleanness } from "../../jobProcess/describeEvent.ts"
import { printLine } from "./output.ts"

const head = ["ID", "JOB", "STATE", "OUTCOME", "", "SUBMITTED", "STOPPED"]

/** Returns a table of jobs. */
export const jobTable = (infos: ReadonlyArray<JobInfo>): string => {
  const shortId = shortIds(infos)
  const rows = infos.map((info) => [
    shortId(info.id),
    info.job,
    info.state,
    info.outcome ?? "",
    info.clean === undefined ? "" : cleanness(info.clean),
    info.submittedAt,
    info.stoppedAt ?? ""
  ])
  return table([head, ...rows]).join("\n")
}

/** Prints all that is known of a job. */
export const printInfo = (format: "pretty" | "json", info: JobInfo): void =>
  printLine(
    format === "json"
      ? JSON.stringify(info)
      : table(Object.entries(info).map(([key, value]) => [key, String(value)])).join("\n")
  )

/** Prints a job that was just submitted: its id alone, unless a person reads it. */
export const printSubmitted = (format: "pretty" | "json", info: JobInfo): void => {
  if (format === "json") return printLine(JSON.stringify(info))
  printLine(process.stdout.isTTY ? `${info.id}  ${printable(info.job)} is ${info.state}` : info.id)
}

/** Prints one of several jobs, in a line. */
export const printJobLine = (format: "pretty" | "json", info: JobInfo): void =>
  printLine(
    format === "json" ? JSON.stringify(info) : table([[info.id, info.job, info.state, ending(info)]]).join("\n")
  )
