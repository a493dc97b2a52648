import { printable } from "../../base/format.ts"

/** The whole screen of a terminal. It is drawn anew whenever the size changes, and given back as it was. */
export class Screen {
  readonly #onKey: (data: Buffer) => void
  readonly #redraw: () => void
  #isClosed = false

  /** `onKey` is called with each key, and `onResize` when the screen must be drawn anew. */
  constructor({ onKey, onResize }: { readonly onKey: (key: string) => void; readonly onResize: () => void }) {
    const { stdin, stdout } = process
    this.#redraw = onResize
    this.#onKey = (data) => {
      for (const [key] of data.toString().matchAll(keys)) {
        if (key === interrupt) process.emit("SIGINT")
        else onKey(key)
      }
    }
    // switches to a screen of its own, hides the cursor, and cuts lines that are too long
    stdout.write("\u001b[?1049h\u001b[?25l\u001b[?7l")
    stdout.on("resize", this.#redraw)
    if (stdin.isTTY) stdin.setRawMode(true).on("data", this.#onKey)
    process.once("exit", this.close)
  }

  /** The number of lines that it has room for. */
  get rows(): number {
    // a terminal that does not know its size says 0
    return process.stdout.rows || 24
  }

  draw(lines: ReadonlyArray<string>): void {
    const { rows } = this
    const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… and ${lines.length - rows + 1} more`]
    process.stdout.write(`\u001b[H${shown.map((line) => `${printable(line)}\u001b[K`).join("\r\n")}\u001b[J`)
  }

  readonly close = (): void => {
    if (this.#isClosed) return
    this.#isClosed = true
    const { stdin, stdout } = process
    process.off("exit", this.close)
    stdout.off("resize", this.#redraw)
    if (stdin.isTTY) stdin.off("data", this.#onKey).setRawMode(false).pause()
    stdout.write("\u001b[?7h\u001b[?25h\u001b[?1049l")
  }
}

/** The keys in what a terminal sends: a key is a character, or a sequence that begins with Esc. */
// oxlint-disable-next-line no-control-regex
const keys = /\u001b(?:\[[\d;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/gu

/** Ctrl-C, which a raw terminal leaves to the program. */
const interrupt = "\u0003"
