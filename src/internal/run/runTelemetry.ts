import * as Context from "effect/Context"
import type { AnySpan } from "effect/Tracer"
import type { Run } from "./run.ts"

/** The spans that the spans of user code lie in, as far as there are any. */
export interface RunSpans {
  /** The span of the whole job, for the starts of its services. */
  readonly job: () => AnySpan | undefined
  /** The span of its `run`, once that has begun. */
  readonly run: () => AnySpan | undefined
}

const none = () => undefined
export const noSpans: RunSpans = { job: none, run: none }

/** Called with each new run before it starts, also with those within another one. It is off unless somebody provides it. */
export const RunTelemetry = Context.Reference<(run: Run, submitter: Context.Context<never>) => RunSpans>(
  "autostop/RunTelemetry",
  { defaultValue: () => () => noSpans }
)
