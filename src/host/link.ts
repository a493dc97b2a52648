import type { Send } from "./frames.ts"
import type { Killed } from "../internal/group.ts"
import type { Notice } from "../internal/notice.ts"
import type { Limits } from "../internal/limits.ts"

/** What a host is told when it begins. */
export interface Init {
  readonly service: string
  readonly version: string
  readonly fingerprint: string
  /** The module that serves it. */
  readonly module: string
  /** The limits of its own services. JSON has no infinity: there it is `null`. */
  readonly limits: Limits
}

/** A host as its owner sees it: somewhere else, and the way there. */
export interface Link {
  readonly pid: number | undefined
  /** Opens when it has ended, and all that it sent has arrived. */
  readonly exited: Notice
  /** How it ended, once it has. */
  readonly exit: () => string
  /** The end of what it printed to stderr. */
  readonly stderr: () => string
  /** What it had started and did not end, where that was only found once it had exited. */
  readonly leftover: () => string | undefined
  readonly send: Send
  /** Ends it whatever it does, and sees to it that it and all it started are gone. Never rejects. */
  readonly kill: (limitMs: number) => Promise<Killed>
}

/** How to get a host. */
export type Open = (onBytes: (bytes: Uint8Array) => void) => Link
