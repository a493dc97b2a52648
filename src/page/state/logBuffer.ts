/** The output of a job that is kept in this tab. */
import type { LogLine } from "../api/models.ts"
import { countFirst } from "./sorted.ts"

/** The largest number of characters that are kept: as many as a manager keeps. */
const maxChars = 16 * 2 ** 20
/** Each line costs more than its text. */
const lineChars = 64

export interface LogMark {
  readonly at: string
  readonly text: string
}

/** A row of the log as it is shown: a line, or an event of the stop between two lines. */
export type LogRow = { readonly _tag: "Line"; readonly line: LogLine } | ({ readonly _tag: "Mark" } & LogMark)

export class LogBuffer {
  #lines: Array<LogLine> = []
  #chars = 0
  /** The number of lines that were kept and are not any more. */
  dropped = 0
  readonly #marks: Array<LogMark> = []

  get lines(): ReadonlyArray<LogLine> {
    return this.#lines
  }

  get lastSeq(): number {
    return this.#lines.at(-1)?.seq ?? 0
  }

  /** A line that is there already is left out: a feed that begins again may send it again. */
  add(line: LogLine): void {
    if (line.seq <= this.lastSeq) return
    this.#lines.push(line)
    this.#chars += line.text.length + lineChars
    if (this.#chars > maxChars) this.#drop()
  }

  mark(mark: LogMark): void {
    this.#marks.push(mark)
  }

  /** Drops a tenth at once: to remove the first of an array moves all others. */
  #drop(): void {
    let count = 0
    while (this.#chars > maxChars * 0.9 && count < this.#lines.length) {
      this.#chars -= (this.#lines[count]?.text.length ?? 0) + lineChars
      count++
    }
    this.#lines = this.#lines.slice(count)
    this.dropped += count
  }

  /** Returns the marks, each with the number of lines before it. */
  get placedMarks(): ReadonlyArray<LogMark & { readonly before: number }> {
    return this.#marks.map((mark) => ({ ...mark, before: countFirst(this.#lines, ({ at }) => at <= mark.at) }))
  }
}

/** Returns the row of the log at an index, marks included. */
export const rowAt = (
  lines: ReadonlyArray<LogLine>,
  marks: ReadonlyArray<LogMark & { readonly before: number }>,
  index: number
): LogRow | undefined => {
  let passed = 0
  for (const mark of marks) {
    if (mark.before + passed === index) return { _tag: "Mark", at: mark.at, text: mark.text }
    if (mark.before + passed > index) break
    passed++
  }
  const line = lines[index - passed]
  return line === undefined ? undefined : { _tag: "Line", line }
}
