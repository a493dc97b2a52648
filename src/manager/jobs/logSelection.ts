/** Selects the lines of a log that a reader wants. */
import * as Effect from "effect/Effect"
import type { LogQuery } from "../Manager.ts"
import type { LogLine } from "../models.ts"

type Lines = ReadonlyArray<LogLine>

/**
 * Returns an effect that reads the next lines that are wanted, and none if there are no more so far. `read` returns some of the
 * next lines of the log. Others have their turn between any two pieces.
 */
export const selectedLines = (read: () => Lines, query: LogQuery): Effect.Effect<Lines> => {
  const { grep, since, tail } = query
  if (grep === undefined && since === undefined && tail === undefined) return Effect.sync(read)
  const filter = new LineFilter(query)
  let last = tail === undefined ? undefined : new LastLines(tail)
  return Effect.gen(function*() {
    for (;;) {
      const piece = read()
      const wanted = piece.filter((line) => filter.accepts(line))
      if (piece.length === 0) {
        const kept = last?.lines ?? []
        last = undefined
        return kept
      }
      if (last !== undefined) last.add(wanted)
      else if (wanted.length > 0) return wanted
      yield* Effect.yieldNow
    }
  })
}

/** A line that comes in parts is accepted from the part on that has the text. */
class LineFilter {
  readonly #since: string
  readonly #grep: string
  /** True for a stream whose line goes on, and is accepted. */
  readonly #goesOn = { stdout: false, stderr: false }

  constructor({ grep = "", since = "" }: LogQuery) {
    this.#since = since
    this.#grep = grep
  }

  accepts({ at, mark, stream, text }: LogLine): boolean {
    const hasText = this.#goesOn[stream] || text.includes(this.#grep)
    this.#goesOn[stream] = hasText && mark === "continued"
    return hasText && at >= this.#since
  }
}

/** The last lines that were added. A line that comes in parts is one line. */
class LastLines {
  readonly #count: number
  #lines: Array<LogLine> = []
  /** The place of the first line that is kept, so that the others are removed together. */
  #first = 0
  /** The number of ends of lines from that place on. */
  #ends = 0

  constructor(count: number) {
    this.#count = count
  }

  get lines(): Lines {
    return this.#lines.slice(this.#first)
  }

  add(lines: Lines): void {
    for (const line of lines) {
      this.#lines.push(line)
      if (isEnd(line)) this.#ends++
    }
    while (this.#ends > this.#count) {
      const line = this.#lines[this.#first++]
      if (line !== undefined && isEnd(line)) this.#ends--
    }
    if (this.#first < this.#lines.length / 2) return
    this.#lines = this.#lines.slice(this.#first)
    this.#first = 0
  }
}

const isEnd = ({ mark }: LogLine): boolean => mark !== "continued"
