import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import type { LogLine } from "./models.ts"

/** A log is turned over at this size: what is kept of a job is at most twice as much. */
const turnBytes = 8 * 1_024 * 1_024

/** What a job has printed: lines of JSON in a file, and in the one before it once that is full. */
export class JobLog {
  readonly #file: string
  readonly #onWritten: () => void
  #seq: number
  #bytes: number
  #unwritten: Array<LogLine> = []
  #writing: Promise<void> | undefined
  /** Why lines were lost, if any were. */
  error: unknown

  constructor(folder: string, id: string, onWritten: () => void) {
    mkdirSync(folder, { recursive: true })
    this.#file = join(folder, `${id}.log`)
    this.#onWritten = onWritten
    this.#bytes = existsSync(this.#file) ? statSync(this.#file).size : 0
    this.#seq = readLog(folder, id, 0).at(-1)?.seq ?? 0
  }

  /** Resolves when it is in the file: who prints faster than that waits. */
  add(stream: LogLine["stream"], text: string, at: string): Promise<void> {
    for (const line of text.replace(/\n$/, "").split("\n")) {
      this.#unwritten.push({ seq: ++this.#seq, at, stream, text: line })
    }
    return this.#writing ??= this.#write()
  }

  /** Resolves when all of it is in the file. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const text = this.#unwritten.map((line) => `${JSON.stringify(line)}\n`).join("")
      this.#unwritten = []
      try {
        if (this.#bytes >= turnBytes) {
          renameSync(this.#file, `${this.#file}.1`)
          this.#bytes = 0
        }
        await appendFile(this.#file, text)
        this.#bytes += Buffer.byteLength(text)
      } catch (error) {
        // a job does not fail since its log cannot be kept
        this.error = error
      }
      this.#onWritten()
    }
    this.#writing = undefined
  }
}

/** The lines after this one, as far as they are kept. */
export const readLog = (folder: string, id: string, after: number): ReadonlyArray<LogLine> =>
  [`${id}.log.1`, `${id}.log`].flatMap((name) => {
    const file = join(folder, name)
    return existsSync(file) ? linesOf(readFileSync(file, "utf8")) : []
  }).filter((line) => line.seq > after)

const linesOf = (text: string): ReadonlyArray<LogLine> =>
  text.split("\n").flatMap((line) => {
    try {
      // safe: nobody else writes there; what was cut off by a crash is no JSON
      return line === "" ? [] : [JSON.parse(line) as LogLine]
    } catch {
      return []
    }
  })

export const removeLog = (folder: string, id: string): void => {
  for (const name of [`${id}.log.1`, `${id}.log`]) rmSync(join(folder, name), { force: true })
}
