/** Texts for people: durations, counts and tables. */

/** A duration that was measured, to three digits. */
export const millis = (ms: number): string => {
  if (ms < 0.995) return `${ms.toFixed(2)} ms`
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  return ms < 999.5 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(2)} s`
}

/** A limit, exactly as it was set. */
export const seconds = (ms: number): string => `${ms / 1_000} s`

/** An age, in its two largest units. */
export const span = (ms: number): string => {
  const s = Math.max(0, Math.floor(ms / 1_000))
  if (s < 60) return `${s} s`
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`
  const h = Math.floor(s / 3_600)
  return h < 48 ? `${h} h ${Math.floor((s % 3_600) / 60)} min` : `${Math.floor(h / 24)} d ${h % 24} h`
}

/** A whole number, with separators. */
export const whole = (count: number): string => Math.round(count).toLocaleString("en")

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** Cuts a text that is longer than so many characters; the last one then says so. */
export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

export const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, " ")

/** Control characters, and those that change the direction of a text: they would drive the terminal that shows it. */
const controls = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu
const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

/** Shows foreign text in one line: control characters as JSON writes them, so that JSON stays what it is. */
export const printable = (text: string): string =>
  text.replace(controls, (char) => names[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** Shows foreign text of several lines, each as `printable` does. Tabs are kept. */
export const printableLines = (text: string): string =>
  text.split("\n").map((line) => line.split("\t").map(printable).join("\t")).join("\n")

/** Aligns the columns of rows, and returns a line for each row. Columns are aligned to the left unless `align` differs. */
export const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  align: ReadonlyArray<"left" | "right"> = []
): Array<string> => {
  const widths: Array<number> = []
  const shown = rows.map((row) => row.map(printable))
  for (const row of shown) row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length))
  const aligned = (cell: string, column: number): string => {
    const width = widths[column] ?? 0
    return align[column] === "right" ? cell.padStart(width) : cell.padEnd(width)
  }
  return shown.map((row) => row.map(aligned).join("  ").trimEnd())
}
