import type { Writable } from "node:stream"

/**
 * Waits until everything written to a stream has been taken by its reader, or the reader is gone, or it has taken
 * nothing for `patienceMs`.
 */
export const flush = (stream: Writable, patienceMs: number): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve()
    let left = stream.writableLength
    let since = performance.now()
    const watch = setInterval(() => {
      if (stream.writableLength !== left) {
        left = stream.writableLength
        since = performance.now()
      } else if (performance.now() - since >= patienceMs) {
        done()
      }
    }, 50)
    const done = () => {
      clearInterval(watch)
      stream.off("error", done)
      resolve()
    }
    stream.once("error", done)
    stream.write("", done)
  })
