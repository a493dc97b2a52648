import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { errorText } from "../base/errorText.ts"
import type { ServiceSpec } from "../internal/service/serviceRecord.ts"
import { type Build, countCalls } from "./serviceBuild.ts"
import { clientOf } from "./client.ts"
import type { Contract } from "./contract.ts"
import { HostError } from "./hostError.ts"
import { handlerOf } from "./handlers.ts"
import { loadServed } from "./hostModule.ts"

/** The service in the process of its callers, which call its handlers directly. */
export const buildLocal =
  ({ contract, module }: { readonly contract: Contract; readonly module: string }, spec: ServiceSpec): Build =>
  (context) =>
    loadServed({ service: contract.name, version: contract.version, fingerprint: contract.fingerprint, module }).pipe(
      Effect.flatMap(({ layer }) =>
        Effect.catchCause(
          Layer.buildWithMemoMap(layer, context.memoMap, context.scope),
          (cause) => Effect.fail(errorText(cause))
        )
      ),
      Effect.mapError((message) => HostError.of(spec.name, "start", message)),
      Effect.flatMap((handlers) => {
        let isStopped = false
        const served = contract.methods.map((method) => handlerOf(handlers, method))
        const client = clientOf(contract, {
          call: ({ index }, payload) => {
            const handler = served[index]
            return isStopped || handler === undefined
              ? stopped(spec)
              : Effect.provideContext(handler.effect(payload), handler.context)
          },
          stream: ({ index }, payload) => {
            const handler = served[index]
            return isStopped || handler === undefined
              ? Stream.fromEffect(stopped(spec))
              : Stream.provideContext(handler.stream(payload), handler.context)
          }
        }, countCalls(context))
        return Effect.as(Scope.addFinalizer(context.scope, Effect.sync(() => void (isStopped = true))), client)
      })
    )

const stopped = (spec: ServiceSpec) => Effect.fail(HostError.of(spec.name, "stopped", "it takes no more calls"))
