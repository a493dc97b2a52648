import type * as Effect from "effect/Effect"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { Leftover } from "../../StopReport.ts"
import type { Send } from "../wire/frames.ts"

/** A host and the connection with it, as its caller sees them. */
export interface HostConnection {
  readonly pid: number | undefined
  /** Opens once the host has ended and all that it sent has arrived. */
  readonly exited: OneShotLatch
  /** Says how the host ended, once `exited` is open. */
  readonly exit: () => string
  /** The end of what the host printed to stderr. */
  readonly stderr: () => string
  /** Says what the start of the host waits for, as the end of a sentence; absent where a host waits for nothing. */
  readonly waitsFor?: () => string
  /** The Ray actor that the host lives in. */
  readonly actor?: Actor | undefined
  /** Removes what the host lived in, once it has ended. */
  readonly clear?: Effect.Effect<void>
  /** Names what the host had started and did not end, if that was only found once it had exited. */
  readonly leftover: () => string | undefined
  readonly send: Send
  /** Ends the host whatever it does, and checks that it and all it started are gone. */
  readonly kill: (limitMs: number) => Effect.Effect<Killed>
}

/** A Ray actor that a host lives in. */
export interface Actor {
  readonly actorId: string
  readonly nodeId: string
  /** The actor was killed, Ray says that it is DEAD, and its processes are gone. */
  readonly killSuccess: boolean
}

/** Starts a host. */
export type OpenHost = (onBytes: (bytes: Uint8Array) => void) => HostConnection

/** Starts the hosts of one service, and ends what they live in. */
export interface Transport {
  readonly open: OpenHost
  /** The URL of a module of this machine, as its hosts import it. */
  readonly moduleOf: (module: string) => string
  /** Ends what the hosts lived in, once they have ended, within so many milliseconds. */
  readonly end: (limitMs: number) => Effect.Effect<void>
  /** Names what of that was not seen to end. */
  readonly leftovers: () => ReadonlyArray<Leftover>
}
