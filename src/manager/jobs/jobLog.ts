import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync } from "node:fs"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import type { LogLine } from "../models.ts"

export interface LogOptions {
  readonly folder: string
  /** The largest size of each job's log, in bytes; the oldest lines are removed first. */
  readonly bytes: number
}

/** The place at which a reader goes on. The file is the one after so many rotations. */
interface Position {
  readonly rotations: number
  readonly offset: number
}

/** The output of a job, as lines of JSON in a file. A file that holds half of what is kept is rotated. */
export class JobLog {
  readonly #file: string
  readonly #rotationBytes: number
  readonly #onWritten: () => void
  #seq: number
  #bytes: number
  #rotations = 0
  #unwritten: Array<LogLine> = []
  #writing: Promise<void> | undefined

  constructor({ bytes, folder }: LogOptions, id: string, onWritten: () => void) {
    mkdirSync(folder, { recursive: true })
    const [before, file] = filesOf(folder, id)
    this.#file = file
    this.#rotationBytes = bytes / 2
    this.#onWritten = onWritten
    const present = readFrom(file, 0)
    this.#bytes = present.end
    this.#seq = (present.lines.at(-1) ?? readFrom(before, 0).lines.at(-1))?.seq ?? 0
  }

  /** Resolves when the text is in the file, so that a job cannot print faster than its log is written. */
  add(stream: LogLine["stream"], text: string, at: string): Promise<void> {
    for (const line of text.replace(/\n$/, "").split("\n")) {
      this.#unwritten.push({ seq: ++this.#seq, at, stream, text: line })
    }
    return this.#writing ??= this.#write()
  }

  /** Resolves when all text is in the file. */
  async flush(): Promise<void> {
    await this.#writing
  }

  /** Returns a function that reads the lines after number `after`, and at each further call those written since. */
  reader(after: number): () => ReadonlyArray<LogLine> {
    let last = after
    let position: Position | undefined
    return () => {
      const since = position
      const isRotated = since === undefined || since.rotations < this.#rotations
      const before = isRotated ? this.#readRotated(since) : []
      const read = readFrom(this.#file, isRotated ? 0 : since.offset)
      position = { rotations: this.#rotations, offset: read.end }
      const unread = [...before, ...read.lines].filter(({ seq }) => seq > last)
      last = unread.at(-1)?.seq ?? last
      return unread
    }
  }

  /** Reads the file before the current one, from where the reader was if it has read that file. */
  #readRotated(since: Position | undefined): ReadonlyArray<LogLine> {
    const wasThere = since !== undefined && since.rotations === this.#rotations - 1
    return readFrom(`${this.#file}.1`, wasThere ? since.offset : 0).lines
  }

  async #write(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const text = this.#unwritten.map((line) => `${JSON.stringify(line)}\n`).join("")
      this.#unwritten = []
      try {
        if (this.#bytes >= this.#rotationBytes) {
          renameSync(this.#file, `${this.#file}.1`)
          this.#rotations++
          this.#bytes = 0
        }
        await appendFile(this.#file, text)
        this.#bytes += Buffer.byteLength(text)
      } catch {
        // a job does not fail because its log cannot be written
      }
      this.#onWritten()
    }
    this.#writing = undefined
  }
}

/** Returns the lines after number `after` that are kept of a stopped job. */
export const readLog = (folder: string, id: string, after: number): ReadonlyArray<LogLine> =>
  filesOf(folder, id).flatMap((file) => readFrom(file, 0).lines).filter((line) => line.seq > after)

export const removeLog = (folder: string, id: string): void => {
  for (const file of filesOf(folder, id)) rmSync(file, { force: true })
}

/** Returns the files of a job, the older one first. */
const filesOf = (folder: string, id: string) => {
  const file = join(folder, `${id}.log`)
  return [`${file}.1`, file] as const
}

/** Returns the complete lines of a file from a byte on, and where they end. A line that is being written is not read. */
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
      // safe: only this module writes there; a line that was cut off by a crash is no JSON and is skipped
      return line === "" ? [] : [JSON.parse(line) as LogLine]
    } catch {
      return []
    }
  })
