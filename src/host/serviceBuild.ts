import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ServiceRegistry } from "../internal/service/serviceRegistry.ts"
import type { ServiceRecord } from "../internal/service/serviceRecord.ts"
import type { HostError } from "./hostError.ts"

/** Where a service is built: in the scope of its layer, or, within a job, in that of its record. */
export interface Place {
  readonly memoMap: Layer.MemoMap
  readonly scope: Scope.Scope
  readonly managed: { readonly record: ServiceRecord; readonly registry: ServiceRegistry } | undefined
}

/** Makes the client of a service, and what is behind it. */
export type Build = (place: Place) => Effect.Effect<object, HostError>

/** Counts a call in the report. */
export const counting = ({ managed }: Place): () => void => {
  if (managed === undefined) return () => {}
  const { record } = managed
  record.used = 0
  return () => void (record.used = (record.used ?? 0) + 1)
}
