/** The byte that ends a line. */
const newline = 10

export interface LineReaderOptions {
  /** The length of the longest line in bytes; no more than that is ever kept of one. */
  readonly longest: number
  readonly onLine: (line: string) => void
  /** Called once, for a line that is longer. Nothing is read after it. */
  readonly onTooLong: () => void
}

/**
 * Finds lines of UTF-8 in bytes that another process or machine sends, however they were cut on their way. The work for a
 * byte does not depend on how many came before it, and a line that its writer did not finish is dropped.
 */
export class LineReader {
  readonly #options: LineReaderOptions
  #longest: number
  #chunks: Array<Uint8Array> = []
  #length = 0
  #isEnded = false

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
    this.#isEnded = true
    this.#chunks = []
  }

  feed(bytes: Buffer): void {
    let at = 0
    while (!this.#isEnded) {
      const end = bytes.indexOf(newline, at)
      const part = bytes.subarray(at, end === -1 ? undefined : end)
      if (this.#length + part.length > this.#longest) {
        this.end()
        return this.#options.onTooLong()
      }
      if (end === -1) return this.#keep(part)
      this.#options.onLine(this.#take(part))
      at = end + 1
    }
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return
    // a copy, because a part keeps the whole of its chunk in memory; many small parts are joined from time to time
    this.#chunks.push(Buffer.from(part))
    this.#length += part.length
    if (this.#chunks.length >= 1_024) this.#chunks = [Buffer.concat(this.#chunks, this.#length)]
  }

  #take(part: Buffer): string {
    if (this.#length === 0) return part.toString("utf8")
    this.#chunks.push(part)
    const line = Buffer.concat(this.#chunks, this.#length + part.length)
    this.#chunks = []
    this.#length = 0
    return line.toString("utf8")
  }
}
