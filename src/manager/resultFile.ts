/**
 * The file that a job process writes its result to. The next manager reads it if the one before is gone when the job
 * stops.
 */
import * as Option from "effect/Option"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { decodeForeignJson } from "../base/foreignJson.ts"
import { attempt } from "../base/valueText.ts"
import { pipeLimits } from "../jobProcess/pipeLimits.ts"
import { JobResult } from "./models.ts"

/** The file that holds the result until it is complete. */
export const partialFile = (file: string): string => `${file}.tmp`

/** Writes the whole result or nothing. */
export const writeResultFile = (file: string, result: JobResult): void => {
  writeFileSync(partialFile(file), JSON.stringify(result))
  renameSync(partialFile(file), file)
}

const decode = decodeForeignJson(JobResult)

/** Reads a result. Returns `undefined` if there is no file, or one that no job process of this version has written. */
export const readResultFile = (file: string): JobResult | undefined =>
  attempt(() => {
    const stats = statSync(file)
    return stats.isFile() && stats.size <= pipeLimits.message
      ? Option.getOrUndefined(decode(readFileSync(file, "utf8")))
      : undefined
  })

/** The result files of a manager's jobs, in one folder. */
export class ResultFiles {
  readonly #folder: string

  constructor(managerFolder: string) {
    this.#folder = join(managerFolder, "results")
  }

  create(): void {
    mkdirSync(this.#folder, { recursive: true })
  }

  of(id: string): string {
    return join(this.#folder, `${id}.json`)
  }

  /** Removes the result of an attempt, also a partial one. */
  remove(id: string): void {
    for (const path of [this.of(id), partialFile(this.of(id))]) rmSync(path, { force: true })
  }

  /** Removes all files but the results of these jobs. */
  keepOnly(ids: Iterable<string>): void {
    const kept = new Set(Array.from(ids, (id) => basename(this.of(id))))
    for (const name of readdirSync(this.#folder)) {
      if (!kept.has(name)) rmSync(join(this.#folder, name), { force: true })
    }
  }
}
