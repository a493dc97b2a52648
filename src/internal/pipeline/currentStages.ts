import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"
import type { StageCounters } from "./stageCounters.ts"

/** The counters of the job that a fiber belongs to. */
export const CurrentStages = Context.Reference<StageCounters | undefined>("autostop/CurrentStages", {
  defaultValue: () => undefined
})

/** Returns the counters of the job whose code runs at this moment. */
export const stagesHere = (): StageCounters | undefined => Fiber.getCurrent()?.getRef(CurrentStages)

/**
 * Returns the counters for a stream that `fiber` runs: those of its job, or, because an async iterable or another runtime
 * runs a stream outside of the job's fibers, those of the job that the stream was `made` in, while that lasts.
 */
export const stagesOf = (
  fiber: Fiber.Fiber<unknown, unknown>,
  made: StageCounters | undefined
): StageCounters | undefined => fiber.getRef(CurrentStages) ?? (made?.isOver === false ? made : undefined)
