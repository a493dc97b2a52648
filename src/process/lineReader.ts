/** The byte that ends a line. */
const newline = 10

export interface LineReaderOptions {
  /** The length of the longest line in bytes; no more than that is ever kept of one. */
  readonly longest: number
  readonly onLine: (line: string) => void
  /** Called once, for a line that is longer. Nothing is read after it. */
  readonly onTooLong: () => void
}

/** The part of a line that has arrived; or nothing is read any more. */
type State = { readonly _tag: "Reading"; chunks: Array<Uint8Array>; length: number } | { readonly _tag: "Ended" }

const ended: State = { _tag: "Ended" }

/**
 * Finds lines of UTF-8 in bytes that another process or machine sends, however they were cut on their way. The work for a
 * byte does not depend on how many came before it, and a line that its writer did not finish is dropped.
 */
export class LineReader {
  readonly #options: LineReaderOptions
  #longest: number
  #state: State = { _tag: "Reading", chunks: [], length: 0 }

  constructor(options: LineReaderOptions) {
    this.#options = options
    this.#longest = options.longest
  }

  /** Sets the length of the longest line from now on. */
  set longest(bytes: number) {
    this.#longest = bytes
  }

  /** Reads nothing from now on, also of the chunk that is being read. */
  end(): void {
    this.#state = ended
  }

  feed(bytes: Buffer): void {
    let at = 0
    while (this.#state._tag === "Reading") {
      const line = this.#state
      const end = bytes.indexOf(newline, at)
      const part = bytes.subarray(at, end === -1 ? undefined : end)
      if (line.length + part.length > this.#longest) {
        this.end()
        return this.#options.onTooLong()
      }
      if (end === -1) return keep(line, part)
      this.#options.onLine(take(line, part))
      at = end + 1
    }
  }
}

type Line = Extract<State, { readonly _tag: "Reading" }>

const keep = (line: Line, part: Buffer): void => {
  if (part.length === 0) return
  // a copy, because a part keeps the whole of its chunk in memory; many small parts are joined from time to time
  line.chunks.push(Buffer.from(part))
  line.length += part.length
  if (line.chunks.length >= 1_024) line.chunks = [Buffer.concat(line.chunks, line.length)]
}

const take = (line: Line, part: Buffer): string => {
  if (line.length === 0) return part.toString("utf8")
  const whole = Buffer.concat([...line.chunks, part], line.length + part.length)
  line.chunks = []
  line.length = 0
  return whole.toString("utf8")
}
