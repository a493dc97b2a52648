import type { Readable } from "node:stream"

const tailBytes = 4_096

/** Passes on what a host prints, no faster than it is read here. */
export const forward = (from: Readable, to: NodeJS.WriteStream): void => {
  from.on("data", (data) => {
    if (to.write(data)) return
    from.pause()
    to.once("drain", () => from.resume())
  })
  from.on("error", () => {})
}

/** Keeps the end of what a stream gives. */
export const tailOf = (from: Readable): () => string => {
  let tail = Buffer.alloc(0)
  from.on("data", (data: Buffer) => {
    tail = Buffer.concat([tail, data]).subarray(-tailBytes)
  })
  return () => tail.toString("utf8").trim()
}
