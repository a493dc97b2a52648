import type { Readable } from "node:stream"

const tailBytes = 4_096

/** After this time a line without its end is passed on: it may be a question, or a progress bar. */
const partialMs = 100

/** Passes on the output of a process in whole lines, because others print there too, and no faster than it is read. */
export const forward = (from: Readable, to: NodeJS.WriteStream): void => {
  let partial: Buffer = Buffer.alloc(0)
  let timer: NodeJS.Timeout | undefined
  const write = (bytes: Uint8Array) => {
    if (bytes.length === 0 || to.write(bytes)) return
    from.pause()
    to.once("drain", () => from.resume())
  }
  const rest = () => {
    const bytes = partial
    partial = Buffer.alloc(0)
    write(bytes)
  }
  from.on("data", (data: Buffer) => {
    clearTimeout(timer)
    const end = data.lastIndexOf("\n") + 1
    if (end > 0) {
      const lines = data.subarray(0, end)
      write(partial.length === 0 ? lines : Buffer.concat([partial, lines]))
      partial = data.subarray(end)
    } else {
      partial = Buffer.concat([partial, data])
    }
    if (partial.length >= tailBytes) rest()
    else if (partial.length > 0) timer = setTimeout(rest, partialMs).unref()
  })
  from.once("close", () => {
    clearTimeout(timer)
    rest()
  })
  from.on("error", () => {})
}

/** Keeps the last part of a stream. Returns a function that reads it. */
export const tailOf = (from: Readable): () => string => {
  let tail = Buffer.alloc(0)
  from.on("data", (data: Buffer) => {
    tail = Buffer.concat([tail, data]).subarray(-tailBytes)
  })
  return () => tail.toString("utf8").trim()
}
