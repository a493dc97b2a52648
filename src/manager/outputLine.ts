/** A line of output, or a part of one: its rest comes in the next line of its stream. */
export interface OutputLine {
  readonly text: string
  readonly continued?: true
}

/** The number of characters after which a line is continued in another one. */
export const longestLine = 64 * 1_024

/** Splits output into lines. Of a line that a program overwrites with `\r`, as a progress bar does, the last state counts. */
export class LineSplitter {
  #partial = ""
  /** True if a part of the line was passed on. */
  #isContinued = false

  get isUnfinished(): boolean {
    return this.#partial !== ""
  }

  /** Returns the lines that are whole now, and the parts of one that is too long. */
  add(text: string): ReadonlyArray<OutputLine> {
    const lines: Array<OutputLine> = []
    const [first = "", ...rest] = text.split("\n")
    this.#extend(first, lines)
    for (const next of rest) {
      lines.push({ text: overwritten(this.#partial) })
      this.#partial = ""
      this.#isContinued = false
      this.#extend(next, lines)
    }
    return lines
  }

  /** Returns what there is of a line that is not whole yet. */
  takeUnfinished(): ReadonlyArray<OutputLine> {
    // what follows the `\r` at its end overwrites it
    const text = overwritten(this.#partial)
    this.#partial = ""
    if (text === "") return []
    this.#isContinued = true
    return [{ text, continued: true }]
  }

  /** Returns the last line, if it has no end. */
  end(): ReadonlyArray<OutputLine> {
    const text = overwritten(this.#partial)
    const isEnd = text !== "" || this.#isContinued
    this.#partial = ""
    this.#isContinued = false
    return isEnd ? [{ text }] : []
  }

  #extend(text: string, lines: Array<OutputLine>): void {
    this.#partial += text
    while (this.#partial.length > longestLine) {
      const end = isHighSurrogate(this.#partial.charCodeAt(longestLine - 1)) ? longestLine - 1 : longestLine
      lines.push({ text: this.#partial.slice(0, end), continued: true })
      this.#partial = this.#partial.slice(end)
      this.#isContinued = true
    }
  }
}

/** Returns the text that a terminal shows of a line in which the program went back to the beginning. */
const overwritten = (line: string): string => {
  const text = line.replace(/\r+$/, "")
  return text.slice(text.lastIndexOf("\r") + 1)
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
