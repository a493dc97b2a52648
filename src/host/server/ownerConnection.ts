import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Send } from "../wire/frames.ts"

/** The owner of a host as the host sees it. */
export interface OwnerConnection {
  readonly onBytes: (listener: (bytes: Uint8Array) => void) => void
  readonly send: Send
  /** Resolves once all that was sent has arrived. Nothing is sent after it. */
  readonly flush: () => Promise<void>
  /** Sets how long the host may outlive its owner, in milliseconds. */
  readonly outlive: (ms: number) => void
  /** Opens when the owner is gone. */
  readonly lost: OneShotLatch
}
