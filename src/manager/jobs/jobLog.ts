import { mkdirSync, renameSync, rmSync } from "node:fs"
import { appendFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import type { LogLine } from "../models.ts"
import type { OutputLine } from "../outputLine.ts"
import { endOf, piecesOf, readPiece, sizeOf } from "./logPieces.ts"

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
  /** The lines that readers of the file miss, until the file says so. */
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
    const present = endOf(file)
    this.#bytes = present.bytes
    this.#isCut = sizeOf(file) > present.bytes
    this.#seq = present.seq ?? endOf(before).seq ?? 0
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

  /**
   * Returns a function that reads some of the lines after number `after`, at each further call some of the next ones, and none
   * if there are no more so far: a reader that is slow holds no more than one piece.
   */
  reader(after: number): () => ReadonlyArray<LogLine> {
    let last = after
    let position: Position = { rotations: this.#rotations - 1, offset: 0 }
    return () => {
      for (;;) {
        const current = this.#rotations
        // what was rotated twice is no longer there
        if (position.rotations < current - 1) position = { rotations: current - 1, offset: 0 }
        const { offset, rotations } = position
        const { end, lines } = readPiece(rotations < current ? `${this.#file}.1` : this.#file, offset)
        if (end === offset && rotations === current) return []
        position = end === offset ? { rotations: current, offset: 0 } : { rotations, offset: end }
        const unread = lines.filter(({ seq }) => seq > last)
        last = unread.at(-1)?.seq ?? last
        if (unread.length > 0) return unread
      }
    }
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

/** Returns the lines after number `after` that are kept of a stopped job, in pieces. */
export function* readLog(folder: string, id: string, after: number): Generator<ReadonlyArray<LogLine>, void> {
  for (const file of filesOf(folder, id)) {
    for (const { lines } of piecesOf(file)) {
      const unread = lines.filter(({ seq }) => seq > after)
      if (unread.length > 0) yield unread
    }
  }
}

export const removeLog = (folder: string, id: string): void => {
  for (const file of filesOf(folder, id)) rmSync(file, { force: true })
}

/** Returns the files of a job, the older one first. */
const filesOf = (folder: string, id: string) => {
  const file = join(folder, `${id}.log`)
  return [`${file}.1`, file] as const
}
