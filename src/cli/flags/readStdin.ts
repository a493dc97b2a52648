import * as Effect from "effect/Effect"
import { messageOf } from "../../base/errorText.ts"
import { Refusal } from "../refusal.ts"

/** The most that is read, in bytes: what writes without end must not fill the memory. */
export const maxStdinBytes = 16 * 1024 * 1024

/** The time after which people read what a command waits for. */
const patienceMs = 2_000

/**
 * Reads all of stdin as text, for the flag `flag`. Says that it waits: at a terminal at once, else if the end of stdin does
 * not come soon. Fails if there is more than `maxStdinBytes`.
 */
export const readStdin = (flag: string, say: (line: string) => void): Effect.Effect<string, Refusal> =>
  Effect.callback((resume) => {
    const { stdin } = process
    const chunks: Array<Buffer> = []
    let bytes = 0
    const fail = (what: string) => end(Effect.fail(new Refusal({ message: `${flag} ${what}` })))
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxStdinBytes) fail(`is more than ${maxStdinBytes / 1024 / 1024} MiB; expected less on stdin`)
    }
    const onEnd = () => end(Effect.succeed(Buffer.concat(chunks).toString("utf8")))
    const onError = (error: Error) => fail(`cannot be read from stdin: ${messageOf(error)}`)
    const waiting = setTimeout(
      () => say(`${flag} is read from stdin, which has not ended yet`),
      patienceMs
    )
    const off = () => {
      clearTimeout(waiting)
      stdin.off("data", onData).off("end", onEnd).off("error", onError)
      // nothing else reads it: an open stdin would keep the process alive
      stdin.pause().unref?.()
    }
    const end = (result: Effect.Effect<string, Refusal>) => {
      off()
      resume(result)
    }
    if (stdin.isTTY) {
      clearTimeout(waiting)
      say(`${flag} is read from the terminal; Ctrl-D ends it`)
    }
    stdin.on("data", onData).on("end", onEnd).on("error", onError)
    return Effect.sync(off)
  })
