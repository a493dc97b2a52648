import type { Send } from "../wire/frames.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"

/** The owner of a host as the host sees it. */
export interface Port {
  readonly onBytes: (listener: (bytes: Uint8Array) => void) => void
  readonly send: Send
  /** Resolves when all that was sent has arrived. Nothing is sent after it. */
  readonly flush: () => Promise<void>
  /** Sets how long the host may outlive its owner. */
  readonly outlive: (ms: number) => void
  /** Opens when the owner is gone. */
  readonly lost: OneShotLatch
}
