import type { MessagePort, Worker } from "node:worker_threads"

/** Bytes between threads. Few bytes travel as a text of one character for each, which Node clones faster. */
export type Bytes = Uint8Array | string

/** A report of a thread about itself. */
export type ThreadReport =
  /** It runs; `task` is the folder in `/proc` that lists its children, if the system has one. */
  | { readonly _tag: "Born"; readonly task: string | undefined }
  /** It exits now. */
  | { readonly _tag: "Exiting" }

export const exiting: ThreadReport = { _tag: "Exiting" }

/** Asks a thread to exit, also while it still loads its modules. */
export const exitRequest = null

const shortBytes = 8 * 1_024

export const post = (to: MessagePort | Worker, bytes: Uint8Array): void => {
  if (bytes.length <= shortBytes) {
    to.postMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"), [])
    return
  }
  const copy = new Uint8Array(bytes)
  to.postMessage(copy, [copy.buffer])
}

export const bytesOf = (bytes: Bytes): Uint8Array => typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes
