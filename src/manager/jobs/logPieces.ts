/** Reads the file of a log in pieces, so that nobody holds all of it. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs"
import type { LogLine } from "../models.ts"

/** Returns the size of a file, or 0 if there is none. */
export const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** The number of bytes that are read at once, unless a line is longer. */
const pieceBytes = 64 * 1024

/** The size from which a line is none of a log in bytes. A line of 64 KiB has no more than that as JSON. */
const longestEntry = 1024 * 1024

/** Some complete lines of a file, and where they end. */
interface Piece {
  readonly lines: ReadonlyArray<LogLine>
  readonly end: number
}

/** Reads lines from a byte on, as many as fit into a piece. A line that is being written is not read. */
export const readPiece = (file: string, offset: number): Piece => {
  if (!existsSync(file)) return { lines: [], end: offset }
  const descriptor = openSync(file, "r")
  try {
    for (let length = pieceBytes;; length *= 2) {
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, fstatSync(descriptor).size - offset)))
      const bytes = buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, offset))
      const whole = bytes.lastIndexOf("\n") + 1
      // what has no end is no line of a log, and is passed over
      if (whole === 0 && bytes.length >= longestEntry) return { lines: [], end: offset + bytes.length }
      if (whole > 0 || bytes.length < length) {
        return { lines: linesOf(bytes.toString("utf8", 0, whole)), end: offset + whole }
      }
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Reads all complete lines of a file. */
export function* piecesOf(file: string): Generator<Piece, void> {
  for (let offset = 0;;) {
    const piece = readPiece(file, offset)
    if (piece.end === offset) return
    offset = piece.end
    yield piece
  }
}

/** Returns the number of the last line of a file, if it has one, and where its complete lines end. */
export const endOf = (file: string): { readonly seq: number | undefined; readonly bytes: number } => {
  let seq: number | undefined
  let bytes = 0
  for (const { end, lines } of piecesOf(file)) {
    seq = lines.at(-1)?.seq ?? seq
    bytes = end
  }
  return { seq, bytes }
}

const linesOf = (text: string): ReadonlyArray<LogLine> =>
  text.split("\n").flatMap((line) => {
    try {
      const entry: unknown = line === "" ? undefined : JSON.parse(line)
      return isLine(entry) ? [entry] : []
    } catch {
      // it was cut off by a crash
      return []
    }
  })

/** Others may have written to the file: a job may do what its user may. */
const isLine = (entry: unknown): entry is LogLine => {
  if (typeof entry !== "object" || entry === null) return false
  const { at, mark, seq, stream, text } = entry as Readonly<Record<keyof LogLine, unknown>> // safe: it is an object
  return typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0 && typeof at === "string" &&
    typeof text === "string" &&
    (stream === "stdout" || stream === "stderr") && (mark === undefined || mark === "continued" || mark === "gap")
}
