import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Contract, Method } from "./contract.ts"

/** The callee that answers the calls of a client. */
export interface CallTarget {
  readonly call: (method: Method, payload: unknown) => Effect.Effect<unknown, unknown>
  readonly stream: (method: Method, payload: unknown) => Stream.Stream<unknown, unknown>
}

/**
 * A function for each method of a contract, which counts its call. A payload that its Schema refuses is a defect, wherever
 * the service lives.
 */
export const clientOf = (contract: Contract, target: CallTarget, count: () => void): object =>
  Object.fromEntries(contract.methods.map((method) => {
    const make = (payload: unknown): unknown => {
      count()
      return method.rpc.payloadSchema.make(payload)
    }
    const call = method.isStream
      ? (payload: unknown) => Stream.suspend(() => target.stream(method, make(payload)))
      : (payload: unknown) => Effect.suspend(() => target.call(method, make(payload)))
    return [method.name, call]
  }))
