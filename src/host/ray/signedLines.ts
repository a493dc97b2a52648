/** Signs lines, so that nobody on their way changes, repeats, reorders or adds one. `host.py` is the other end. */
import { createHmac } from "node:crypto"
import { same } from "./macs.ts"
import type { End } from "../wire/securedSocket.ts"

export interface LineSigner {
  /** Returns a line with the signature of its end and its number. */
  readonly seal: (text: string) => string
  /** Returns the text of a line, or `undefined` if it is not the next one of the other end. */
  readonly open: (line: string) => string | undefined
}

export const signedLines = (secret: Uint8Array, end: End): LineSigner => {
  const signature = (from: End, number: number, text: string): string =>
    createHmac("sha256", secret).update(`${from}\n${number}\n${text}`).digest("hex")
  const other = end === "client" ? "server" : "client"
  let sent = 0
  let received = 0
  return {
    seal: (text) => `${signature(end, sent++, text)} ${text}`,
    open: (line) => {
      const [given, text] = [line.slice(0, signatureLength), line.slice(signatureLength + 1)]
      return same(given, signature(other, received++, text)) ? text : undefined
    }
  }
}

/** The length of a signature in characters. */
const signatureLength = 64
