import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Schema, type Scope, Stream } from "effect"
import { Environment, Job, JobEvent, LocalEnvironment, Pipeline, Service, StopReport } from "../../../src/index.ts"
import type { Outcome } from "../../../src/StopReport.ts"
import { errorText } from "../../../src/base/errorText.ts"
import { Journal, probe } from "../../../src/testing.ts"
import { hostileNames, HostilePlan, makeHostile } from "../../support/hostile.ts"
import { jobOf, serviceOf } from "../../support/jobs.ts"

/** A place at which a job gets a value, as the services and the run of a job that puts it there. */
interface Place {
  readonly run?: (value: () => unknown) => Effect.Effect<unknown, unknown>
  readonly services?: (value: () => unknown, beneath: Layer.Layer<never>) => Layer.Layer<never, unknown>
  readonly outcome: Outcome | "any"
  /** The service of the place is not released well. */
  readonly isUnclean?: boolean
}

class Subject extends Context.Service<Subject, unknown>()("test/Subject") {}

/** A service with this acquire, above one whose release is checked. */
const subject = (
  acquire: (value: () => unknown) => Effect.Effect<unknown, unknown, Scope.Scope>
): NonNullable<Place["services"]> =>
(value, beneath) =>
  Layer.provide(Service.layer(Subject, Effect.suspend(() => acquire(value))), beneath) as Layer.Layer<never, unknown>

const throwIt = (value: () => unknown): never => {
  throw value()
}

const dieOf = (value: () => unknown) => Effect.die(value())

const places: Readonly<Record<string, Place>> = {
  // a result that nobody could read is a failure
  "a run that returns it": { run: (value) => Effect.sync(value), outcome: "any" },
  "a run that fails with it": { run: (value) => Effect.fail(value()), outcome: "failed" },
  "a run that dies of it": { run: dieOf, outcome: "failed" },
  "a run that throws it": { run: throwIt, outcome: "failed" },
  "a run in which it is thrown": { run: (value) => Effect.sync(() => throwIt(value)), outcome: "failed" },
  "a run that rejects with it": { run: (value) => Effect.promise(() => Promise.reject(value())), outcome: "failed" },
  "a run that rejects with it as a failure": {
    run: (value) => Effect.tryPromise(() => Promise.reject(value())),
    outcome: "failed"
  },
  "a run and its finalizer that die of it": {
    run: (value) => Effect.ensuring(Effect.fail(value()), dieOf(value)),
    outcome: "failed"
  },
  "a run with two finalizers that die of it": {
    run: (value) =>
      Effect.scoped(
        Effect.andThen(
          Effect.addFinalizer(() => dieOf(value)),
          Effect.andThen(Effect.addFinalizer(() => dieOf(value)), Effect.fail(value()))
        )
      ),
    outcome: "failed"
  },
  "a run whose fibers fail with it at once": {
    run: (value) =>
      Effect.all([Effect.fail(value()), dieOf(value), Effect.fail(value())], { concurrency: "unbounded" }),
    outcome: "failed"
  },
  "a run that logs it as a cause": {
    run: (value) => Effect.logWarning("a cause", Cause.die(value())),
    outcome: "succeeded"
  },
  "a run that logs it": {
    run: (value) => Effect.annotateLogs(Effect.suspend(() => Effect.log("a message", value())), { value: value() }),
    // Effect looks at a message before any logger does
    outcome: "any"
  },
  "a run that fails with it in a job of its own": {
    run: (value) => Environment.run(jobOf(Effect.fail(value())), {}).pipe(Effect.provide(LocalEnvironment.layer)),
    outcome: "failed"
  },
  "a source that fails with it": {
    run: (value) => Stream.runDrain(Stream.fail(value()).pipe(Pipeline.source("source"), Pipeline.stage("stage"))),
    outcome: "failed"
  },
  "a source that emits it": {
    run: (value) =>
      Stream.fromIterable([1, 2, 3]).pipe(
        Stream.map(value),
        Pipeline.source("source"),
        Pipeline.mapParallel((element) => Effect.succeed(element), { concurrency: 2 }),
        Pipeline.keyed((element) => element, (element) => Effect.succeed(element), { concurrency: 2 }),
        Stream.runDrain
      ),
    outcome: "succeeded"
  },
  "a pipeline whose workers fail with it": {
    run: (value) =>
      Stream.range(1, 100).pipe(
        Pipeline.source("source"),
        Pipeline.mapParallel(() => Effect.fail(value()), { concurrency: 4 }),
        Stream.runDrain
      ),
    outcome: "failed"
  },
  "a pipeline above a stream that fails with it": {
    run: (value) =>
      Stream.concat(Stream.range(1, 100), Stream.fail(value())).pipe(
        Pipeline.mapParallel(Effect.succeed, { concurrency: 4 }),
        Pipeline.keyed((n) => n % 3, Effect.succeed, { concurrency: 2 }),
        Stream.runDrain
      ),
    outcome: "failed"
  },
  "a pipeline whose key throws it": {
    run: (value) =>
      Stream.range(1, 100).pipe(
        Pipeline.keyed(() => throwIt(value), Effect.succeed, { concurrency: 4 }),
        Stream.runDrain
      ),
    outcome: "failed"
  },
  "a service that is it": { services: subject(Effect.sync), outcome: "succeeded" },
  "a service with a method that throws it": {
    services: subject((value) => Effect.succeed({ method: () => throwIt(value), value: value() })),
    outcome: "succeeded"
  },
  "an acquire that fails with it": { services: subject((value) => Effect.fail(value())), outcome: "failed" },
  "an acquire that dies of it": { services: subject(dieOf), outcome: "failed" },
  "an acquire that throws it": { services: subject(throwIt), outcome: "failed" },
  "a release that dies of it": {
    services: subject((value) => Effect.addFinalizer(() => dieOf(value))),
    outcome: "succeeded",
    isUnclean: true
  },
  "a release that throws it, twice": {
    services: subject((value) =>
      Effect.andThen(
        Effect.addFinalizer((): Effect.Effect<void> => throwIt(value)),
        Effect.addFinalizer((): Effect.Effect<void> => throwIt(value))
      )
    ),
    outcome: "succeeded",
    isUnclean: true
  },
  "a layer that is not managed whose release dies of it": {
    services: (value, beneath) => Layer.provide(Layer.effectDiscard(Effect.addFinalizer(() => dieOf(value))), beneath),
    outcome: "succeeded",
    isUnclean: true
  },
  "a layer that is not managed that fails with it": {
    services: (value, beneath) => Layer.provide(Layer.effectDiscard(Effect.fail(value())), beneath),
    outcome: "failed"
  },
  "a fiber of a service that fails with it": {
    services: subject((value) => Effect.forkScoped(Effect.andThen(Effect.yieldNow, Effect.fail(value())))),
    run: () => Effect.never,
    outcome: "failed"
  },
  "a fiber of a service that dies of it": {
    services: subject((value) => Effect.forkScoped(dieOf(value))),
    run: () => Effect.never,
    outcome: "failed"
  },
  "a service of the run that fails with it": {
    run: (value) => Effect.provide(Effect.void, Layer.effectDiscard(Effect.fail(value()))),
    outcome: "failed"
  }
}

/** Runs a job with a value at a place, and checks that it stopped well whatever the value is. */
const check = (place: Place, value: () => unknown) =>
  Effect.gen(function*() {
    const journal = new Journal()
    const beneath = probe(journal, "beneath")
    const services = place.services === undefined ? beneath : Layer.merge(beneath, place.services(value, beneath))
    const job = Job.make("test", {
      success: Schema.Unknown,
      services,
      // safe: a test does not declare the errors of its run
      run: () => (place.run === undefined ? Effect.void : place.run(value)) as Effect.Effect<unknown>
    })
    const submitted = yield* Environment.submit(job)
    const { exit, report } = yield* submitted.result
    const events = yield* Stream.runCollect(submitted.events)

    // the report is its own JSON, and so is each event
    const json = JSON.stringify(report)
    assert.deepStrictEqual(Schema.decodeUnknownSync(StopReport)(JSON.parse(json)), report)
    assert.isBelow(json.length, 2 ** 20)
    assert.isNotEmpty(StopReport.render(report))
    for (const event of events) {
      assert.deepStrictEqual(Schema.decodeUnknownSync(JobEvent)(JSON.parse(JSON.stringify(event))), event)
    }
    assert.strictEqual(events.at(-1)?._tag, "JobStopped")

    if (place.outcome !== "any") assert.strictEqual(report.outcome, place.outcome)
    assert.strictEqual(Exit.isSuccess(exit), report.outcome === "succeeded")
    assert.isTrue(journal.has("beneath", "released"), "what lies beneath is released")
    assert.strictEqual(serviceOf(report, "beneath").outcome, "released")
    assert.strictEqual(report.clean, place.isUnclean !== true, json)
    return report
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))

describe("a job stops well and reports, whatever value it has to do with", () => {
  for (const [name, place] of Object.entries(places)) {
    it.live(name, () =>
      Effect.forEach(hostileNames, (kind) =>
        Effect.catchCause(
          check(place, () => makeHostile({ kind, within: [] })),
          (cause) => Effect.die(new Error(`${kind}: ${errorText(cause).slice(0, 2_000)}`))
        ), { discard: true }))
  }

  it.live.prop(
    "at any place, within anything",
    { plan: HostilePlan, place: Schema.Literals(Object.keys(places)) },
    ({ place, plan }) => {
      const found = places[place]
      return found === undefined ? Effect.die(place) : check(found, () => makeHostile(plan))
    },
    { arbitrary: { runs: 200 } }
  )
})
