import { PassThrough, type Readable } from "node:stream"

/**
 * Returns what a stream has up to a text that ends it, or to its own end. What comes after the text is left in the stream, for the
 * next job of the same process.
 */
export const upTo = (from: Readable, end: string): Readable => {
  const marker = Buffer.from(end)
  const part = new PassThrough()
  /** The last bytes, which may be the beginning of the marker. */
  let held = Buffer.alloc(0)
  const take = (data: Buffer) => {
    const all = held.length === 0 ? data : Buffer.concat([held, data])
    const at = all.indexOf(marker)
    if (at !== -1) {
      stop()
      part.end(all.subarray(0, at))
      const rest = all.subarray(at + marker.length)
      if (rest.length > 0) from.unshift(rest)
      return
    }
    const passed = all.length - beginning(all, marker)
    held = Buffer.from(all.subarray(passed))
    if (passed > 0 && !part.write(all.subarray(0, passed))) {
      from.pause()
      part.once("drain", () => from.resume())
    }
  }
  const close = () => {
    stop()
    part.end(held)
  }
  const stop = () => {
    from.pause()
    from.off("data", take).off("end", close).off("close", close)
  }
  from.on("data", take).once("end", close).once("close", close)
  from.resume()
  return part
}

/** Returns how many of the last bytes are the first ones of the marker. */
const beginning = (bytes: Buffer, marker: Buffer): number => {
  for (let length = Math.min(marker.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length
  }
  return 0
}
