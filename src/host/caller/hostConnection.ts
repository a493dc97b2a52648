import type { Send } from "../wire/frames.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { PolicyMillis } from "../../internal/policy/policyMillis.ts"

/** What a host is told when it begins. */
export interface Init {
  readonly service: string
  readonly version: string
  readonly fingerprint: string
  /** The module that serves it. */
  readonly module: string
  /** The limits of its own services. JSON has no infinity: there it is `null`. */
  readonly limits: PolicyMillis
}

/** A host as its owner sees it: somewhere else, and the way there. */
export interface Link {
  readonly pid: number | undefined
  /** Opens when it has ended, and all that it sent has arrived. */
  readonly exited: OneShotLatch
  /** How it ended, once it has. */
  readonly exit: () => string
  /** The end of what it printed to stderr. */
  readonly stderr: () => string
  /** What its start waits for, where it says so. */
  readonly waitsFor?: () => string
  /** The actor that it lives in. */
  readonly actor?: Actor | undefined
  /** Takes away what it lived in, once it has ended. Never rejects. */
  readonly clear?: () => Promise<void>
  /** What it had started and did not end, where that was only found once it had exited. */
  readonly leftover: () => string | undefined
  readonly send: Send
  /** Ends it whatever it does, and sees to it that it and all it started are gone. Never rejects. */
  readonly kill: (limitMs: number) => Promise<Killed>
}

/** A Ray actor that a host lives in. */
export interface Actor {
  readonly actorId: string
  readonly nodeId: string
  /** Whether it was killed, and seen to be DEAD with its processes gone. */
  readonly killSuccess: boolean
}

/** How to get a host. */
export type Open = (onBytes: (bytes: Uint8Array) => void) => Link
