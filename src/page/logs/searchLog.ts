/** The search in a log. */
import type { LogLine } from "../api/models.ts"
import type { LogMark } from "../state/logBuffer.ts"
import { countFirst } from "../state/sorted.ts"

type Mark = LogMark & { readonly before: number }

/** The largest number of rows that are found: nobody looks at more, one after the other. */
const most = 10_000

/**
 * Returns a search for a text, in either case. Lines are only added and dropped: it looks at each line once, however often it is
 * asked, and returns the rows that have the text, marks counted.
 */
export const rowsWith = (query: string) => {
  const text = query.toLowerCase()
  const seqs: Array<number> = []
  let lastSeq = 0
  return (lines: ReadonlyArray<LogLine>, marks: ReadonlyArray<Mark>): ReadonlyArray<number> => {
    if (text === "") return []
    const first = indexAfter(lines, lastSeq)
    for (const line of lines.slice(first)) {
      if (seqs.length < most && line.text.toLowerCase().includes(text)) seqs.push(line.seq)
      lastSeq = line.seq
    }
    return seqs.flatMap((seq) => {
      const index = indexAfter(lines, seq - 1)
      return lines[index]?.seq === seq ? [index + marks.filter(({ before }) => before <= index).length] : []
    })
  }
}

/** Returns the index of the first line with a higher number. */
const indexAfter = (lines: ReadonlyArray<LogLine>, seq: number): number => countFirst(lines, (line) => line.seq <= seq)
