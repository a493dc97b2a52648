import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { errorText } from "../internal/errors.ts"
import type { ServiceSpec } from "../internal/serviceRecord.ts"
import { type Build, counting } from "./build.ts"
import { clientOf } from "./client.ts"
import type { Contract } from "./contract.ts"
import { HostError } from "./error.ts"
import { invoke, invokeStream } from "./handlers.ts"
import { loadServed } from "./served.ts"

/** The service in the process of its callers: its handlers are called as they are, with nothing in between. */
export const buildLocal =
  ({ contract, module }: { readonly contract: Contract; readonly module: string }, spec: ServiceSpec): Build =>
  (place) =>
    loadServed({ service: contract.name, version: contract.version, fingerprint: contract.fingerprint, module }).pipe(
      Effect.flatMap(({ layer }) =>
        Effect.catchCause(
          Layer.buildWithMemoMap(layer, place.memoMap, place.scope),
          (cause) => Effect.fail(errorText(cause))
        )
      ),
      Effect.mapError((message) => HostError.of(spec.name, "start", message)),
      Effect.map((handlers) =>
        clientOf(contract, {
          call: (method, payload) => invoke(handlers, method, payload),
          stream: (method, payload) => invokeStream(handlers, method, payload)
        }, counting(place))
      )
    )
