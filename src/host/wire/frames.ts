/**
 * The frames between a caller and a host: `length, operation, id, method, body`. The frames of one turn of the event loop
 * are sent together.
 */

import { attempt } from "../../base/valueText.ts"

/** From a caller to a host. */
export const Request = { init: 1, call: 2, interrupt: 3, ack: 4, ping: 5, stop: 6, tracedCall: 7 } as const
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
  result: 24,
  measurements: 25
} as const

/** The length of the rest (4 bytes), the operation (1), the id of the call (4), the method (2). */
const headerBytes = 11

/** A body of this length is sent without a copy. */
const largeBytes = 64 * 1_024

const noBody = new Uint8Array(0)

/** Sends bytes. It must copy them, because they are overwritten once it returns. */
export type Send = (bytes: Uint8Array) => void

/** The largest buffer that is kept from one turn to the next. */
const keptBytes = 1_024 * 1_024

const endOfTurn = Promise.resolve()

/** This many frames are sent before the end of the turn: the other end can begin with them. */
const manyFrames = 16

/** Writes frames, and sends those of one turn together. */
export class FrameWriter {
  readonly #send: Send
  #flushing = false
  #buffer = Buffer.allocUnsafeSlow(1_024)
  #length = 0
  #frames = 0
  /** The bytes to send before those in the buffer. */
  #chunks: Array<Uint8Array> = []

  constructor(send: Send) {
    this.#send = send
  }

  write(operation: number, id = 0, method = 0, body: Uint8Array = noBody): void {
    const isLarge = body.length >= largeBytes
    this.#reserve(headerBytes + (isLarge ? 0 : body.length))
    const at = this.#length
    const buffer = this.#buffer
    buffer.writeUInt32BE(headerBytes - 4 + body.length, at)
    buffer[at + 4] = operation
    buffer.writeUInt32BE(id, at + 5)
    buffer.writeUInt16BE(method, at + 9)
    this.#length += headerBytes
    if (isLarge) {
      this.#chunks.push(Buffer.from(buffer.subarray(0, this.#length)), body)
      this.#length = 0
    } else {
      buffer.set(body, this.#length)
      this.#length += body.length
    }
    if (++this.#frames >= manyFrames) return this.#flush()
    if (this.#flushing) return
    this.#flushing = true
    void endOfTurn.then(this.#flushLast)
  }

  writeJson(operation: number, value: unknown): void {
    this.write(operation, 0, 0, Buffer.from(JSON.stringify(value)))
  }

  /** Sends what was written, without a wait for the end of the turn. */
  flush(): void {
    if (this.#frames > 0) this.#flush()
  }

  readonly #flushLast = (): void => {
    this.#flushing = false
    this.flush()
  }

  #flush(): void {
    this.#frames = 0
    const rest = this.#buffer.subarray(0, this.#length)
    this.#length = 0
    if (this.#chunks.length === 0) {
      this.#send(rest)
    } else {
      const chunks = this.#chunks
      this.#chunks = []
      for (const chunk of chunks) this.#send(chunk)
      if (rest.length > 0) this.#send(rest)
    }
    if (this.#buffer.length > keptBytes) this.#buffer = Buffer.allocUnsafeSlow(keptBytes)
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** The longest frame that is read, in bytes, without its length: what claims to be longer is no frame. */
export const longestFrame = 2 ** 30

/** The bytes that the other end sent are no frames, or a frame does not have what its operation needs. */
export class BrokenFrame extends Error {}

export type OnFrame = (operation: number, id: number, method: number, body: Uint8Array) => void

/** The part of a frame that has arrived, and the number of bytes that it needs; or the bytes are no frames. */
type Reading = { readonly _tag: "Reading"; chunks: Array<Uint8Array>; length: number; wanted: number }
type ReaderState = Reading | { readonly _tag: "Broken" }

/** Finds the frames in the bytes that arrive, however they were cut on their way. */
export class FrameReader {
  readonly #onFrame: OnFrame
  readonly #onBroken: (why: string) => void
  #state: ReaderState = { _tag: "Reading", chunks: [], length: 0, wanted: 4 }

  /** `onBroken` is called once, if the bytes are no frames, or `onFrame` finds a frame broken. Nothing is read after it. */
  constructor(onFrame: OnFrame, onBroken: (why: string) => void) {
    this.#onFrame = onFrame
    this.#onBroken = onBroken
  }

  feed(bytes: Uint8Array): void {
    const state = this.#state
    if (state._tag === "Broken") return
    try {
      this.#feed(state, bytes)
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error
      this.#state = { _tag: "Broken" }
      this.#onBroken(error.message)
    }
  }

  #feed(state: Reading, bytes: Uint8Array): void {
    if (state.length === 0) return this.#read(state, bytes)
    state.chunks.push(bytes)
    state.length += bytes.length
    if (state.length < state.wanted) return
    const whole = Buffer.concat(state.chunks, state.length)
    state.chunks = []
    state.length = 0
    this.#read(state, whole)
  }

  #read(state: Reading, bytes: Uint8Array): void {
    let at = 0
    state.wanted = 4
    while (bytes.length - at >= 4) {
      const length = uint32(bytes, at)
      if (length < headerBytes - 4 || length > longestFrame) {
        throw new BrokenFrame(`it sent what is no frame: one of ${length} bytes`)
      }
      const end = at + 4 + length
      if (end > bytes.length) {
        state.wanted = end - at
        break
      }
      const method = byte(bytes, at + 9) << 8 | byte(bytes, at + 10)
      this.#onFrame(byte(bytes, at + 4), uint32(bytes, at + 5), method, bytes.subarray(at + headerBytes, end))
      at = end
    }
    if (at === bytes.length) return
    state.chunks = [bytes.subarray(at)]
    state.length = bytes.length - at
  }
}

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

const uint32 = (bytes: Uint8Array, at: number): number =>
  (byte(bytes, at) << 24 | byte(bytes, at + 1) << 16 | byte(bytes, at + 2) << 8 | byte(bytes, at + 3)) >>> 0

/** Reads the JSON of a body. Throws a `BrokenFrame` if there is none, or `is` says that it is something else. */
export const readJson = <A>(body: Uint8Array, is: (value: unknown) => value is A): A => {
  const value: unknown = attempt(() => JSON.parse(Buffer.from(body).toString("utf8")))
  if (is(value)) return value
  throw new BrokenFrame("it sent a frame without the JSON that belongs there")
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
