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

/** Lets everything that needs no time happen before the clock moves on. */
export const settle = Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })

/** A job made of nothing but what a test is about. */
export const jobOf = <A, E, ROut = never>(
  run: Effect.Effect<A, E, ROut | Scope.Scope>,
  services?: Layer.Layer<ROut, unknown>
) =>
  Job.make("test", {
    success: Schema.Unknown,
    services,
    // safe: what a test's run may fail with need not be declared
    run: () => run as Effect.Effect<A, never, ROut | Scope.Scope>
  })

/** Submits a job, in a local environment of its own where none is provided. */
export const submit = <A, E, ROut = never>(
  run: Effect.Effect<A, E, ROut | Scope.Scope>,
  services?: Layer.Layer<ROut, unknown>,
  options?: SubmitOptions
) => Environment.submit(jobOf(run, services), {}, options)

/** Runs a job to its report, and moves the clock as far as it takes. */
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

/** Asks a job that runs for a stop, and gives its result once the clock has moved on that far. */
export const stopWithin = <A, E>(run: JobRun<A, E>, time: Duration.Input) =>
  Effect.gen(function*() {
    yield* settle
    yield* run.stop()
    yield* settle
    yield* TestClock.adjust(time)
    return yield* run.result
  })

/** The line of a service in a report. */
export const serviceOf = (report: StopReport, name: string) => {
  const service = report.services.find((service) => service.name === name)
  if (service === undefined) throw new Error(`the report has no service "${name}"`)
  return service
}
