import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync } from "node:fs"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import type { LogLine } from "../models.ts"

/** Where the logs of jobs are, and how much is kept of each. */
export interface LogOptions {
  readonly folder: string
  /** At most that many bytes of each job; the oldest lines go first. */
  readonly bytes: number
}

/** What a job has printed: lines of JSON in a file, and in the one before it once half of what is kept is in that. */
export class JobLog {
  readonly #file: string
  readonly #turnBytes: number
  readonly #onWritten: () => void
  #seq: number
  #bytes: number
  /** How often the file was turned over. */
  #turns = 0
  #unwritten: Array<LogLine> = []
  #writing: Promise<void> | undefined
  /** Why lines were lost, if any were. */
  error: unknown

  constructor({ bytes, folder }: LogOptions, id: string, onWritten: () => void) {
    mkdirSync(folder, { recursive: true })
    const [before, file] = filesOf(folder, id)
    this.#file = file
    this.#turnBytes = bytes / 2
    this.#onWritten = onWritten
    const present = readFrom(file, 0)
    this.#bytes = present.end
    this.#seq = (present.lines.at(-1) ?? readFrom(before, 0).lines.at(-1))?.seq ?? 0
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

  /** Reads the lines after this one, and from then on, at each call, those that were written since. */
  reader(after: number): () => ReadonlyArray<LogLine> {
    let last = after
    let turn = this.#turns
    let offset = 0
    let isFirst = true
    return () => {
      const lines: Array<LogLine> = []
      const before = `${this.#file}.1`
      if (isFirst || this.#turns - turn > 1) lines.push(...readFrom(before, 0).lines)
      else if (this.#turns > turn) lines.push(...readFrom(before, offset).lines)
      const read = readFrom(this.#file, isFirst || this.#turns > turn ? 0 : offset)
      isFirst = false
      turn = this.#turns
      offset = read.end
      const unread = [...lines, ...read.lines].filter(({ seq }) => seq > last)
      last = unread.at(-1)?.seq ?? last
      return unread
    }
  }

  async #write(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const text = this.#unwritten.map((line) => `${JSON.stringify(line)}\n`).join("")
      this.#unwritten = []
      try {
        if (this.#bytes >= this.#turnBytes) {
          renameSync(this.#file, `${this.#file}.1`)
          this.#turns++
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

/** The lines after this one of a job that has stopped, as far as they are kept. */
export const readLog = (folder: string, id: string, after: number): ReadonlyArray<LogLine> =>
  filesOf(folder, id).flatMap((file) => readFrom(file, 0).lines).filter((line) => line.seq > after)

export const removeLog = (folder: string, id: string): void => {
  for (const file of filesOf(folder, id)) rmSync(file, { force: true })
}

/** The older one first. */
const filesOf = (folder: string, id: string) => {
  const file = join(folder, `${id}.log`)
  return [`${file}.1`, file] as const
}

/** The whole lines of a file from this byte on, and where they end. One that is being written is left for later. */
const readFrom = (file: string, offset: number): { readonly lines: ReadonlyArray<LogLine>; readonly end: number } => {
  if (!existsSync(file)) return { lines: [], end: 0 }
  const descriptor = openSync(file, "r")
  try {
    const buffer = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - offset))
    const bytes = buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, offset))
    const whole = bytes.lastIndexOf("\n") + 1
    return { lines: linesOf(bytes.toString("utf8", 0, whole)), end: offset + whole }
  } finally {
    closeSync(descriptor)
  }
}

const linesOf = (text: string): ReadonlyArray<LogLine> =>
  text.split("\n").flatMap((line) => {
    try {
      // safe: nobody else writes there; what was cut off by a crash is no JSON
      return line === "" ? [] : [JSON.parse(line) as LogLine]
    } catch {
      return []
    }
  })
