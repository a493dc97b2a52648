import { startInterval } from "../../process/timers.ts"
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

/** The telemetry of a run, as the run sees it. */
export interface RunObservation {
  /** The span of the whole job, which the starts of its services lie in, if it has one. */
  readonly job: () => AnySpan | undefined
  /** The span of its `run`, once that has begun. */
  readonly run: () => AnySpan | undefined
  /** The references that its fibers get. */
  readonly references: Context.Context<never>
}

const none = () => undefined
export const unobserved: RunObservation = { job: none, run: none, references: Context.empty() }

/** Called with each new run before it starts, also with those within another one. It is off unless somebody provides it. */
export const RunTelemetry = Context.Reference<(run: ObservedRun, submitter: Context.Context<never>) => RunObservation>(
  "autostop/RunTelemetry",
  { defaultValue: () => () => unobserved }
)

/** Does something again and again until a run has stopped, and then once more. */
export const whileRuns = ({ stopped }: Pick<ObservedRun, "stopped">, everyMs: number, act: () => void): void => {
  const stop = startInterval(everyMs, act)
  stopped.onOpen(() => {
    stop()
    act()
  })
}
