import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { Run, type RunOptions } from "./run.ts"
import { surroundingsOf } from "./surroundings.ts"

/** A program that nobody submitted as a job. */
export interface Program {
  /** The name in the report. */
  readonly name: string
  readonly limits: PolicyMillis
  /** Its layers. They need nothing but what the context of the starting fiber has. */
  readonly services: Layer.Any | undefined
  readonly run: Effect.Effect<unknown, unknown, unknown>
  /** The clock of its limits; that of the starting fiber by default. */
  readonly clock?: Clock.Clock | undefined
  /** Finds what it left behind in the process. */
  readonly leftovers: RunOptions["leftovers"]
}

/** Runs a program as a job runs: its layers are services, and its stop is that of a job. Returns at once. */
export const startProgram = (
  { clock, leftovers, limits, name, run, services }: Program,
  starter: Fiber.Fiber<unknown, unknown>
): Run => {
  const surroundings = surroundingsOf(starter)
  const started = new Run({
    id: crypto.randomUUID(),
    job: name,
    environment: "local",
    limits,
    // the layers that a program provides by itself come later
    limitedServices: services === undefined ? [] : Object.keys(limits.services ?? {}),
    autostop: { _tag: "end" },
    ...surroundings,
    clock: clock ?? surroundings.clock,
    leftovers
  })
  // safe: the types of those who start a program say that the context has what it needs
  started.start({ services, run: () => run } as Parameters<Run["start"]>[0], undefined, starter.context)
  return started
}
