import * as Clock from "effect/Clock"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { CurrentProcess } from "../../process/processContext.ts"
import type { RunOptions } from "./run.ts"

/** Returns what a run takes from the fiber that starts it: its clock, its scheduler and its process. */
export const surroundingsOf = (
  fiber: Fiber.Fiber<unknown, unknown>
): Pick<RunOptions, "attach" | "clock" | "leftovers" | "scheduler"> => ({
  clock: fiber.getRef(Clock.Clock),
  scheduler: fiber.getRef(Scheduler.Scheduler),
  ...fiber.getRef(CurrentProcess)
})
