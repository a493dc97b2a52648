/** The limits of what clients can use of the server. */
import * as Effect from "effect/Effect"
import type { PolicyError } from "../../internal/policy/policyError.ts"
import type { Options } from "../jobManagerOptions.ts"
import { heartbeatMs } from "../feedSchemas.ts"
import { readBytes, readInt } from "../readSettings.ts"

export interface ServerLimits {
  /** The size of the body of a request, 1 MiB by default. */
  readonly bodyBytes: number
  /** The size of an uploaded bundle, 16 MiB by default. */
  readonly uploadBytes: number
  /** The size of all headers of a request, 16 KiB by default. */
  readonly headerBytes: number
  /** The limit for sending the headers of a request, 10 s by default. */
  readonly headersMs: number
  /** The limit for sending a whole request, 30 s by default. An answer may take longer. */
  readonly requestMs: number
  /** The limit for a client to read some of an answer, 60 s by default. */
  readonly writeMs: number
  /** The largest number of open connections, 1,024 by default. Further ones are closed at once. */
  readonly connections: number
  /**
   * The number of those that are kept free, a sixteenth by default: once there are fewer, the oldest connections that have not
   * shown a token yet are closed.
   */
  readonly keptFree: number
  /** The time that a stop waits for requests in flight, 2 s by default. */
  readonly graceMs: number
  /** The interval of the heartbeats of each stream, 15 s by default. */
  readonly heartbeatMs: number
}

const defaultLimits: Omit<ServerLimits, "keptFree"> = {
  bodyBytes: 1024 * 1024,
  uploadBytes: 16 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  writeMs: 60_000,
  connections: 1024,
  graceMs: 2_000,
  heartbeatMs
}

/** Completes limits with the defaults. */
export const limitsOf = (given: Partial<ServerLimits> = {}): ServerLimits => {
  const limits = { ...defaultLimits, ...given }
  return { keptFree: Math.min(Math.ceil(limits.connections / 16), limits.connections - 1), ...limits }
}

/** Reads the limits that a user has set. Fails with the first one that cannot be used. */
export const readServerLimits = Effect.fnUntraced(function*(
  { requests: { body, connections, upload } = {} }: Options,
  nameOf: (setting: string) => string = (setting) => setting
): Effect.fn.Return<Partial<ServerLimits>, PolicyError> {
  return {
    ...(body === undefined ? {} : { bodyBytes: yield* readBytes(nameOf("requests.body"), body) }),
    ...(upload === undefined ? {} : { uploadBytes: yield* readBytes(nameOf("requests.upload"), upload) }),
    ...(connections === undefined ? {} : { connections: yield* readInt(nameOf("requests.connections"), connections) })
  }
})
