import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Layer, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type JobEvent, LocalEnvironment, Pipeline, type StopMode } from "../../../src/index.ts"
import { type Behaviour, Journal, probe } from "../../../src/testing.ts"
import { serviceOf, settle, submit } from "../../support/jobs.ts"

const hangs: Behaviour = { ms: 0, ends: "never" }
const takes = (ms: number): Behaviour => ({ ms, ends: "well" })

const eventsOf = (events: Stream.Stream<JobEvent>) => Effect.map(Stream.runCollect(events), (all) => [...all])

/** A clock whose timers are late: by the next of these milliseconds each, from the first one again after the last. */
const lateBy = (lateness: ReadonlyArray<number>) =>
  Effect.map(Clock.Clock, (clock): Clock.Clock => {
    let timers = 0
    return {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) =>
        clock.sleep(Duration.sum(duration, Duration.millis(lateness[timers++ % lateness.length] ?? 0)))
    }
  })

/** So many services that hang in their release, one over the other, over one that takes a while. */
const chain = (journal: Journal, levels: number, releaseMs: number): Layer.Layer<never> => {
  let top = probe(journal, "db", { release: takes(releaseMs) })
  for (let level = 1; level <= levels; level++) {
    top = probe(journal, `hangs-${level}`, { release: hangs, needs: [top] })
  }
  return top
}

const Ms = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("the stop sequence", () => {
  for (const mode of ["cancel", "kill"] as const satisfies ReadonlyArray<StopMode>) {
    it.effect(`has neither delay nor drain if it is asked for as ${mode}, in its report and its events`, () =>
      Effect.gen(function*() {
        const flows = Stream.never.pipe(Pipeline.source("never"), Stream.runDrain)
        const run = yield* submit(flows, undefined, { stopPolicy: { delay: "1 second" } })
        yield* settle
        yield* run.stop({ mode })
        yield* settle
        yield* TestClock.adjust("1 minute")
        const { report } = yield* run.result
        assert.notIncludeMembers(report.phases.map(({ phase }) => phase), ["delay", "drain"])
        const events = yield* eventsOf(run.events)
        for (const event of events) {
          if (event._tag === "PhaseStarted") assert.notInclude(["delay", "drain"], event.phase)
        }
        assert.strictEqual(report.outcome, "cancelled")
      }).pipe(Effect.provide(LocalEnvironment.layer)))
  }

  it.effect("has no drain if a service has died", () =>
    Effect.gen(function*() {
      const dies = Layer.effectDiscard(Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), Effect.die("gone"))))
      const { Service } = yield* Effect.promise(() => import("../../../src/index.ts"))
      const flows = Stream.never.pipe(Pipeline.source("never"), Stream.runDrain)
      const run = yield* submit(flows, Service.manage("dies", dies))
      yield* settle
      yield* TestClock.adjust("1 minute")
      const { exit, report } = yield* run.result
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["cancel", "release"])
      assert.isTrue(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it.effect.prop(
    "gives what is beneath a chain that hangs its turn, however late the timers are",
    [
      Schema.Struct({
        levels: Ms(1, 8),
        deadline: Ms(2_000, 30_000),
        /** What each timer is late by, in percent of an equal share of the deadline. */
        lateness: Schema.Array(Ms(0, 60)).check(Schema.isMinLength(1), Schema.isMaxLength(12))
      })
    ],
    ([{ deadline, lateness, levels }]) =>
      Effect.gen(function*() {
        const journal = new Journal()
        // a share is never longer than a second, and the reserve for it grows with the lateness
        const share = Math.min(1_000, deadline / (levels + 1))
        // every timer may be late by the same time as the worst one before it
        const worst = Math.max(...lateness) * share / 100
        const clock = yield* lateBy([worst, ...lateness.map((percent) => percent * share / 100)])
        const releaseMs = Math.max(1, Math.floor(share / 20))
        const job = submit(Effect.void, chain(journal, levels, releaseMs), {
          stopPolicy: { deadline, drainTimeout: 1, cancelTimeout: 1, killTimeout: 1, releaseTimeout: deadline }
        })
        const run = yield* Effect.provideService(job, Clock.Clock, clock)
        const result = yield* Effect.forkChild(run.result)
        yield* settle
        for (let ms = 0; ms < 2 * deadline; ms += share / 10) yield* TestClock.adjust(share / 10)
        yield* TestClock.adjust("1 hour")
        const { report } = yield* Fiber.join(result)
        const db = serviceOf(report, "db")
        const events = yield* eventsOf(run.events)
        const at = (tag: JobEvent["_tag"], service?: string) =>
          Date.parse(
            events.find((event) =>
              event._tag === tag && (service === undefined || ("service" in event && event.service === service))
            )?.at ?? assert.fail(`no ${tag}`)
          )
        const leftAtItsTurn = at("StopRequested") + deadline - at("ServiceReleasing", "db")
        assert.isAbove(leftAtItsTurn, 0, "its turn came after the deadline")
        // what its own timers are late by is its own time
        if (leftAtItsTurn > releaseMs + 2 * worst) assert.strictEqual(db.outcome, "released")
        for (const { name, outcome } of report.services) if (name !== "db") assert.strictEqual(outcome, "abandoned")
      }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)),
    { arbitrary: { runs: 60 }, timeout: 120_000 }
  )
})
