import { printable } from "../../base/format.ts"

/** The whole screen of a terminal. It is drawn anew whenever the size changes, and given back as it was. */
export class Screen {
  readonly #onKey: (data: Buffer) => void
  readonly #redraw: () => void
  #isClosed = false

  /** `onQuit` is called at the key `q`; `onResize` when the screen must be drawn anew. */
  constructor({ onQuit, onResize }: { readonly onQuit: () => void; readonly onResize: () => void }) {
    const { stdin, stdout } = process
    this.#redraw = onResize
    this.#onKey = (data) => {
      const keys = data.toString()
      if (keys.includes(interrupt)) process.emit("SIGINT")
      else if (keys.includes("q")) onQuit()
    }
    // switches to a screen of its own, hides the cursor, and cuts lines that are too long
    stdout.write("\u001b[?1049h\u001b[?25l\u001b[?7l")
    stdout.on("resize", this.#redraw)
    if (stdin.isTTY) stdin.setRawMode(true).on("data", this.#onKey)
    process.once("exit", this.close)
  }

  draw(lines: ReadonlyArray<string>): void {
    // a terminal that does not know its size says 0
    const rows = process.stdout.rows || 24
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

/** Ctrl-C, which a raw terminal leaves to the program. */
const interrupt = "\u0003"
