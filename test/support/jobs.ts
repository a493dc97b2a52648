import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import {
  Environment,
  Job,
  type JobRun,
  LocalEnvironment,
  type StopReport,
  type SubmitOptions
} from "../../src/index.ts"
import type { Entry, Journal } from "../../src/testing.ts"

/** How a probe starts or stops. */
export const slow = { ms: 2_000, ends: "well" } as const
export const never = { ms: 0, ends: "never" } as const
export const dies = { ms: 0, ends: "die" } as const

/** Provides a local environment. */
export const local = Effect.provide(LocalEnvironment.layer)

/** Lets everything that needs no time happen before the clock moves on. */
export const settle = Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })

/** A job of a run and its services. */
export const jobOf = <A, E, ROut = never>(
  run: Effect.Effect<A, E, ROut | Scope.Scope>,
  services?: Layer.Layer<ROut, unknown>
) =>
  Job.make("test", {
    success: Schema.Unknown,
    services,
    // safe: a test does not declare the errors of its run
    run: () => run as Effect.Effect<A, never, ROut | Scope.Scope>
  })

/** Submits a job to the environment that is provided. */
export const submit = <A, E, ROut = never>(
  run: Effect.Effect<A, E, ROut | Scope.Scope>,
  services?: Layer.Layer<ROut, unknown>,
  options?: SubmitOptions
) => Environment.submit(jobOf(run, services), {}, options)

/** Runs a job to its report, and moves the clock on for it. */
export const reportOf = <A, E, ROut = never>(
  run: Effect.Effect<A, E, ROut | Scope.Scope>,
  services?: Layer.Layer<ROut, unknown>,
  options?: SubmitOptions
) =>
  Effect.gen(function*() {
    const job = yield* submit(run, services, options)
    yield* settle
    yield* TestClock.adjust("10 minutes")
    return yield* job.result
  }).pipe(Effect.provide(LocalEnvironment.layer))

/** Asks a running job to stop, and returns its result after the clock has moved on by `time`. */
export const stopWithin = <A, E>(run: JobRun<A, E>, time: Duration.Input) =>
  Effect.gen(function*() {
    yield* settle
    yield* run.stop()
    yield* settle
    yield* TestClock.adjust(time)
    return yield* run.result
  })

/** When something happened to a probe, in milliseconds of the clock. */
export const timeOf = (journal: Journal, service: string, what: Entry["what"]): number => {
  const entry = journal.entries[journal.indexOf(service, what)]
  if (entry === undefined) throw new Error(`${service} was never ${what}`)
  return entry.at
}

/** The line of a service in a report. */
export const serviceOf = (report: StopReport, name: string) => {
  const service = report.services.find((service) => service.name === name)
  if (service === undefined) throw new Error(`the report has no service "${name}"`)
  return service
}
