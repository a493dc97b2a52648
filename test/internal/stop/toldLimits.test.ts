import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type JobEvent, LocalEnvironment, Pipeline, type SubmitOptions } from "../../../src/index.ts"
import { type Behaviour, Journal, probe } from "../../../src/testing.ts"
import { settle, submit } from "../../support/jobs.ts"

const hangs: Behaviour = { ms: 0, ends: "never" }

/** The events of a run that is stopped, without their times. */
const eventsOf = (run: Effect.Effect<unknown>, services?: Layer.Layer<never>, options?: SubmitOptions) =>
  Effect.gen(function*() {
    const job = yield* submit(run, services, options)
    yield* settle
    yield* job.stop()
    yield* settle
    yield* TestClock.adjust("10 minutes")
    const { report } = yield* job.result
    const events: ReadonlyArray<JobEvent> = yield* Stream.runCollect(job.events)
    return { events, report }
  }).pipe(Effect.provide(LocalEnvironment.layer))

const of = <Tag extends JobEvent["_tag"]>(events: ReadonlyArray<JobEvent>, tag: Tag) =>
  events.filter((event): event is Extract<JobEvent, { readonly _tag: Tag }> => event._tag === tag)

describe("the events of a stop", () => {
  it.effect("say what a service needs once it has started", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db")
      const services = probe(journal, "cache", { needs: [db] })
      const { events, report } = yield* eventsOf(Effect.never, services)
      assert.deepStrictEqual(
        of(events, "ServiceStarted").map(({ dependsOn, host, service }) => [service, dependsOn, host]),
        [["db", undefined, undefined], ["cache", ["db"], undefined]]
      )
      assert.deepStrictEqual(report.services.map(({ dependsOn }) => dependsOn), [[], ["db"]])
    }))

  it.effect("say what each part may take, and what the whole has left", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const flows = Stream.make(1).pipe(
        Stream.concat(Stream.never),
        Pipeline.source("one"),
        Stream.mapEffect(() => Effect.uninterruptible(Effect.never)),
        Stream.runDrain
      )
      const services = probe(journal, "top", { release: { ms: 1_000, ends: "well" }, needs: [probe(journal, "db")] })
      const { events } = yield* eventsOf(flows, services, {
        stopPolicy: {
          delay: "1 second",
          drainTimeout: "2 seconds",
          cancelTimeout: "3 seconds",
          releaseTimeout: "4 seconds",
          deadline: "20 seconds"
        }
      })
      assert.deepStrictEqual(of(events, "StopRequested").map(({ deadlineMs }) => deadlineMs), [20_000])
      assert.deepStrictEqual(
        of(events, "PhaseStarted").map(({ limitMs, phase }) => [phase, limitMs]),
        [["delay", 1_000], ["drain", 2_000], ["cancel", 3_000], ["release", 14_000]]
      )
      assert.deepStrictEqual(
        of(events, "ServiceReleasing").map(({ limitMs, service }) => [service, limitMs]),
        [["top", 4_000], ["db", 4_000]]
      )
      assert.deepStrictEqual(of(events, "ServiceOverdue"), [])
    }))

  it.effect("say nothing of limits where there are none", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const { events } = yield* eventsOf(Effect.never, probe(journal, "db"), {
        stopPolicy: { deadline: "Infinity", releaseTimeout: "Infinity", cancelTimeout: "Infinity" }
      })
      for (const event of [...of(events, "StopRequested"), ...of(events, "PhaseStarted")]) {
        assert.notProperty(event, "limitMs")
        assert.notProperty(event, "deadlineMs")
      }
      for (const event of of(events, "ServiceReleasing")) assert.notProperty(event, "limitMs")
    }))

  it.effect("say at once that a release has passed its limit, though others still run", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const services = Layer.merge(
        probe(journal, "hangs", { release: hangs }),
        probe(journal, "slow", { release: { ms: 3_000, ends: "well" } })
      )
      const { events, report } = yield* eventsOf(Effect.never, services, {
        stopPolicy: { releaseTimeout: "4 seconds" }
      })
      const [overdue, ...others] = of(events, "ServiceOverdue")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(overdue, { service: "hangs", limitMs: 4_000 })
      const [stop] = of(events, "StopRequested")
      assert.strictEqual(Date.parse(overdue?.at ?? "") - Date.parse(stop?.at ?? ""), 4_000)
      assert.deepStrictEqual(
        report.services.map(({ name, outcome }) => [name, outcome]).toSorted(),
        [["hangs", "abandoned"], ["slow", "released"]]
      )
    }))
})
