/**
 * The file that a job process writes its result to. The next manager reads it if the one before is gone when the job
 * stops.
 */
import * as Schema from "effect/Schema"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { JobResult } from "./models.ts"

/** The file that holds the result until it is complete. */
export const partialFile = (file: string): string => `${file}.tmp`

/** Writes the whole result or nothing. */
export const writeResultFile = (file: string, result: JobResult): void => {
  writeFileSync(partialFile(file), JSON.stringify(result))
  renameSync(partialFile(file), file)
}

/** Reads a result. Returns `undefined` if there is no file, or one that is damaged. */
export const readResultFile = (file: string): JobResult | undefined => {
  try {
    return Schema.decodeUnknownSync(Schema.fromJsonString(JobResult))(readFileSync(file, "utf8"))
  } catch {
    return undefined
  }
}

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
