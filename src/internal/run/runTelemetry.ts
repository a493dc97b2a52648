import type { Clock } from "effect/Clock"
import * as Context from "effect/Context"
import type { AnySpan } from "effect/Tracer"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { StageCounters } from "../pipeline/stageCounters.ts"
import type { EventLog } from "./eventLog.ts"

/** A run as its telemetry sees it. */
export interface ObservedRun {
  readonly options: { readonly id: string; readonly job: string; readonly clock: Clock }
  readonly startedAt: string
  readonly events: Pick<EventLog, "listen">
  readonly stages: Pick<StageCounters, "report" | "measureTimes" | "settleTimes">
  readonly stopped: OneShotLatch
}

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
export const RunTelemetry = Context.Reference<(run: ObservedRun, submitter: Context.Context<never>) => RunSpans>(
  "autostop/RunTelemetry",
  { defaultValue: () => () => noSpans }
)
