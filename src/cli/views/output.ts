import { printable, printableLines } from "../../base/format.ts"
import type { LogLine } from "../../manager/models.ts"

/** Prints text of one or more lines. Names and messages of jobs do not drive the terminal. */
export const printLine = (text: string): void => void process.stdout.write(`${printableLines(text)}\n`)

/** Says text of one or more lines on stderr, in the same way. */
export const sayLine = (text: string): void => void process.stderr.write(`${printableLines(text)}\n`)

/** The sequences that set the colours of a terminal, and do nothing else. */
// oxlint-disable-next-line no-control-regex
const colours = new RegExp("(\u001b\\[[0-9;:]*m|\t)")

/** Prints a line that a job has printed: as it is, but on a terminal nothing of it does more than set colours. */
export const printOutput = ({ mark, stream, text }: LogLine): void => {
  const shown = process[stream].isTTY
    ? text.split(colours).map((part, index) => index % 2 === 0 ? printable(part) : part).join("")
    : text
  process[stream].write(mark === "continued" ? shown : `${shown}\n`)
}
