import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs"
import { appendFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import type { LogLine } from "../models.ts"
import type { OutputLine } from "../outputLine.ts"

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
  /** The time of the last line. */
  #at = ""
  #bytes: number
  #rotations = 0
  #unwritten: Array<LogLine> = []
  /** What readers of the file miss, until the file says so. */
  #gap: Gap | undefined
  /** True if the file may end within a line. */
  #isCut: boolean
  #writing: Promise<void> | undefined

  constructor({ bytes, folder }: LogOptions, id: string, onWritten: () => void) {
    mkdirSync(folder, { recursive: true })
    const [before, file] = filesOf(folder, id)
    this.#file = file
    this.#rotationBytes = bytes / 2
    this.#onWritten = onWritten
    const present = readFrom(file, 0)
    this.#bytes = present.end
    this.#isCut = sizeOf(file) > present.end
    this.#seq = (present.lines.at(-1) ?? readFrom(before, 0).lines.at(-1))?.seq ?? 0
  }

  /** Resolves when the lines are in the file, so that a job cannot print faster than its log is written. */
  add(stream: LogLine["stream"], lines: ReadonlyArray<OutputLine>, at: string): Promise<void> {
    this.#at = at
    for (const { continued, text } of lines) {
      this.#unwritten.push({
        seq: ++this.#seq,
        at,
        stream,
        text,
        ...(continued === undefined ? {} : { mark: "continued" })
      })
    }
    return this.#writing ??= this.#write()
  }

  /** Resolves when all that can be written is in the file. */
  async flush(): Promise<void> {
    await this.#writing
    if (this.#gap !== undefined) await this.#tryToAppend([])
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
      const lines = this.#unwritten
      this.#unwritten = []
      await this.#tryToAppend(lines)
      this.#onWritten()
    }
    this.#writing = undefined
  }

  /** A job does not fail because its log cannot be written: the log itself says what is missing, once it can be. */
  async #tryToAppend(lines: ReadonlyArray<LogLine>): Promise<void> {
    try {
      this.#prepare()
      await this.#append(lines)
    } catch (error) {
      this.#gap = { lines: (this.#gap?.lines ?? 0) + lines.length, why: messageOf(error) }
      this.#isCut = true
    }
  }

  /** Rotates a file that is full. Takes note if others have moved it away or shortened it. */
  #prepare(): void {
    const bytes = sizeOf(this.#file)
    if (bytes < this.#bytes) {
      this.#rotations++
      this.#gap = { lines: this.#gap?.lines ?? 0, why: "the file of the log was moved away or changed" }
    }
    this.#bytes = bytes
    if (bytes === 0) mkdirSync(dirname(this.#file), { recursive: true })
    if (bytes < this.#rotationBytes) return
    renameSync(this.#file, `${this.#file}.1`)
    this.#rotations++
    this.#bytes = 0
  }

  async #append(lines: ReadonlyArray<LogLine>): Promise<void> {
    const gap = this.#gap === undefined ? [] : [gapLine(this.#gap, (lines[0]?.seq ?? this.#seq + 1) - 1, this.#at)]
    const text = [...gap, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("")
    const written = this.#isCut && this.#bytes > 0 ? `\n${text}` : text
    await appendFile(this.#file, written)
    this.#bytes += Buffer.byteLength(written)
    this.#gap = undefined
    this.#isCut = false
  }
}

/** Lines that are missing; 0 if nobody knows how many. */
interface Gap {
  readonly lines: number
  readonly why: string
}

/** The line that says that lines are missing. It has the number of the last one of them. */
const gapLine = ({ lines, why }: Gap, seq: number, at: string): LogLine => {
  const missing = lines === 0 ? "lines are" : lines === 1 ? "1 line is" : `${lines} lines are`
  const text = `[autostop: ${missing} missing here: ${why}]`
  return { seq, at, stream: "stderr", text, mark: "gap" }
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

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

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
