import type { Readable } from "node:stream"
import { StringDecoder } from "node:string_decoder"

/** The number of characters of an unfinished line that are held back. */
const longestLine = 64 * 1_024

/** Reads the output of a process in whole lines, no faster than `take` resolves. Resolves when all of it is taken. */
export const readOutput = async (
  from: Readable,
  take: (text: string) => void | PromiseLike<unknown>
): Promise<void> => {
  const decoder = new StringDecoder("utf8")
  let partial = ""
  try {
    for await (const data of from) {
      const text = partial + (data instanceof Buffer ? decoder.write(data) : String(data))
      const end = text.lastIndexOf("\n") + 1
      partial = text.slice(end)
      if (end > 0) await take(text.slice(0, end))
      if (partial.length < longestLine) continue
      await take(partial)
      partial = ""
    }
  } catch {
    // the parent closed the stream, because another process still holds it open
  }
  const rest = partial + decoder.end()
  if (rest !== "") await take(rest)
}
