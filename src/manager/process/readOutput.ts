import type { Readable } from "node:stream"
import { StringDecoder } from "node:string_decoder"
import { LineSplitter, type OutputLine } from "../outputLine.ts"

/** The time after which an unfinished line is passed on: it may be a progress bar. */
const unfinishedMs = 1_000

/** Reads the output of a process in lines, no faster than `take` resolves. Resolves when all of it is taken. */
export const readOutput = async (
  from: Readable,
  take: (lines: ReadonlyArray<OutputLine>) => void | PromiseLike<unknown>
): Promise<void> => {
  const decoder = new StringDecoder("utf8")
  const splitter = new LineSplitter()
  const pass = (lines: ReadonlyArray<OutputLine>) => lines.length === 0 ? undefined : take(lines)
  let timer: NodeJS.Timeout | undefined
  let passing: void | PromiseLike<unknown> = undefined
  const passUnfinished = () => {
    passing = pass(splitter.takeUnfinished())
  }
  try {
    for await (const data of from) {
      clearTimeout(timer)
      await passing
      await pass(splitter.add(data instanceof Buffer ? decoder.write(data) : String(data)))
      if (splitter.isUnfinished) timer = setTimeout(passUnfinished, unfinishedMs).unref()
    }
  } catch {
    // the parent closed the stream, because another process still holds it open
  }
  clearTimeout(timer)
  await passing
  await pass([...splitter.add(decoder.end()), ...splitter.end()])
}
