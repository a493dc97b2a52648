import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ServiceRecord } from "../internal/service/serviceRecord.ts"
import type { ServiceRegistry } from "../internal/service/serviceRegistry.ts"
import type { HostError } from "./hostError.ts"

/** The surroundings that a service is built in. */
export interface BuildContext {
  readonly memoMap: Layer.MemoMap
  /** The scope of its layer, or, within a job, the one that the registry releases. */
  readonly scope: Scope.Scope
  /** The job that the service is part of. */
  readonly managed: { readonly record: ServiceRecord; readonly registry: ServiceRegistry } | undefined
}

/** Makes the client of a service, and starts the hosts that answer it. */
export type Build = (context: BuildContext) => Effect.Effect<object, HostError>

/** Counts a call in the report of the job. */
export const countCalls = ({ managed }: BuildContext): () => void => {
  if (managed === undefined) return () => {}
  const { record } = managed
  record.used = 0
  return () => void (record.used = (record.used ?? 0) + 1)
}
