import type { Writable } from "node:stream"

/**
 * Waits until the reader of a stream has taken everything that was written, has gone away, or has taken nothing for
 * `patienceMs`. Resolves to the number of bytes that were not taken.
 */
export const flush = (stream: Writable, patienceMs: number): Promise<number> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve(0)
    let left = stream.writableLength
    let since = performance.now()
    const watch = setInterval(() => {
      if (stream.writableLength !== left) {
        left = stream.writableLength
        since = performance.now()
      } else if (performance.now() - since >= patienceMs) {
        end(left)
      }
    }, 50)
    const end = (unwritten: number) => {
      clearInterval(watch)
      stream.off("error", done)
      resolve(unwritten)
    }
    const done = () => end(0)
    stream.once("error", done)
    stream.write("", done)
  })
