/**
 * The wire between a caller and a host: frames of `length, operation, id, method, body`. Those of one turn of the event
 * loop travel together.
 */

/** From a caller to a host. */
export const Request = { init: 1, call: 2, interrupt: 3, ack: 4, ping: 5, stop: 6 } as const
/** From a host to its caller. */
export const Reply = {
  ready: 16,
  startFailed: 17,
  value: 18,
  failure: 19,
  chunk: 20,
  end: 21,
  pong: 22,
  event: 23,
  report: 24
} as const

/** The length of what follows it (4 bytes), the operation (1), the id of the call (4), the method (2). */
const headerBytes = 11

/** A body of this length is sent from where it stands instead of being copied. */
const largeBytes = 64 * 1_024

const noBody = new Uint8Array(0)

/** Sends frames, those of one turn together. */
export class FrameWriter {
  readonly #send: (parts: ReadonlyArray<Uint8Array>) => void
  #flushing = false
  #buffer = new Uint8Array(1_024)
  #view = new DataView(this.#buffer.buffer)
  #length = 0
  #parts: Array<Uint8Array> = []

  /** `send` is given parts that are not written to again. */
  constructor(send: (parts: ReadonlyArray<Uint8Array>) => void) {
    this.#send = send
  }

  write(operation: number, id = 0, method = 0, body: Uint8Array = noBody): void {
    const isLarge = body.length >= largeBytes
    this.#reserve(headerBytes + (isLarge ? 0 : body.length))
    const at = this.#length
    this.#view.setUint32(at, headerBytes - 4 + body.length)
    this.#view.setUint8(at + 4, operation)
    this.#view.setUint32(at + 5, id)
    this.#view.setUint16(at + 9, method)
    this.#length += headerBytes
    if (isLarge) {
      this.#parts.push(this.#buffer.slice(0, this.#length), body)
      this.#length = 0
    } else {
      this.#buffer.set(body, this.#length)
      this.#length += body.length
    }
    if (this.#flushing) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      this.#send(this.#take())
    })
  }

  writeJson(operation: number, value: unknown): void {
    this.write(operation, 0, 0, Buffer.from(JSON.stringify(value)))
  }

  #take(): ReadonlyArray<Uint8Array> {
    const parts = this.#parts
    this.#parts = []
    if (this.#length > 0) parts.push(this.#buffer.slice(0, this.#length))
    this.#length = 0
    return parts
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
    this.#view = new DataView(larger.buffer)
  }
}

export type OnFrame = (operation: number, id: number, method: number, body: Uint8Array) => void

/** Finds the frames in what arrives, however it was cut on its way. */
export class FrameReader {
  readonly #onFrame: OnFrame
  #parts: Array<Uint8Array> = []
  #length = 0
  /** How many bytes there must be before there is more to find. */
  #wanted = 4

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  feed(bytes: Uint8Array): void {
    if (this.#length === 0) return this.#read(bytes)
    this.#parts.push(bytes)
    this.#length += bytes.length
    if (this.#length < this.#wanted) return
    const whole = Buffer.concat(this.#parts, this.#length)
    this.#parts = []
    this.#length = 0
    this.#read(whole)
  }

  #read(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let at = 0
    this.#wanted = 4
    while (bytes.length - at >= 4) {
      const end = at + 4 + view.getUint32(at)
      if (end > bytes.length) {
        this.#wanted = end - at
        break
      }
      this.#onFrame(
        view.getUint8(at + 4),
        view.getUint32(at + 5),
        view.getUint16(at + 9),
        bytes.subarray(at + headerBytes, end)
      )
      at = end
    }
    if (at === bytes.length) return
    this.#parts = [bytes.subarray(at)]
    this.#length = bytes.length - at
  }
}

export const readJson = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString("utf8"))
