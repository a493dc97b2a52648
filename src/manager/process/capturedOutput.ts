import type { Readable } from "node:stream"
import { StringDecoder } from "node:string_decoder"

/** The longest line that is kept in one piece. */
const longest = 64 * 1_024

/** Takes what a process prints in whole lines, no faster than they are taken. Resolves when all of it is. */
export const captured = async (
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
      if (partial.length < longest) continue
      await take(partial)
      partial = ""
    }
  } catch {
    // it was closed on this side, since somebody else still holds it
  }
  const rest = partial + decoder.end()
  if (rest !== "") await take(rest)
}
