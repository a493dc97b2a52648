import type { Readable } from "node:stream"

const tailBytes = 4_096

/** When the start of a line is passed on although its end has not come: it may be a question, or a progress bar. */
const partialMs = 100

/** Passes on what a host prints, no faster than it is read here, in whole lines: others print there, too. */
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

/** Keeps the end of what a stream gives. */
export const tailOf = (from: Readable): () => string => {
  let tail = Buffer.alloc(0)
  from.on("data", (data: Buffer) => {
    tail = Buffer.concat([tail, data]).subarray(-tailBytes)
  })
  return () => tail.toString("utf8").trim()
}
