import type { MessagePort, Worker } from "node:worker_threads"

/** What travels between threads: bytes, and few of them as a text of one character for each, which Node clones faster. */
export type Piece = Uint8Array | string

/** What a thread says first: where the system lists its children, where the system does. */
export interface Born {
  readonly task: string | undefined
}

const shortBytes = 8 * 1_024

export const post = (to: MessagePort | Worker, bytes: Uint8Array): void => {
  if (bytes.length <= shortBytes) {
    to.postMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"), [])
    return
  }
  const copy = new Uint8Array(bytes)
  to.postMessage(copy, [copy.buffer])
}

export const bytesOf = (piece: Piece): Uint8Array => typeof piece === "string" ? Buffer.from(piece, "latin1") : piece
