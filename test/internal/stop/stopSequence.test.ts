import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Job, Pipeline, Service } from "../../../src/index.ts"
import { Journal, probe } from "../../../src/testing.ts"
import {
  dies,
  local,
  never,
  reportOf,
  serviceOf,
  settle,
  slow,
  stopWithin,
  submit,
  timeOf
} from "../../support/jobs.ts"

describe("the stop sequence", () => {
  it.effect("releases dependents first and siblings in parallel", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db", { release: slow })
      const left = probe(journal, "left", { release: slow, needs: [db] })
      const right = probe(journal, "right", { release: slow, needs: [db] })
      const { report } = yield* reportOf(Effect.void, probe(journal, "api", { release: slow, needs: [left, right] }))
      assert.deepStrictEqual(
        ["api", "left", "right", "db"].map((name) => timeOf(journal, name, "releasing")),
        [0, 2_000, 2_000, 4_000]
      )
      assert.deepStrictEqual(report.services.map(({ dependsOn, name }) => [name, dependsOn.toSorted()]), [
        ["db", []],
        ["left", ["db"]],
        ["right", ["db"]],
        ["api", ["left", "right"]]
      ])
    }))

  it.effect("releases strictly one after the other where the concurrency is 1", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = Layer.mergeAll(
        probe(journal, "one", { release: slow }),
        probe(journal, "two", { release: slow }),
        probe(journal, "three", { release: slow })
      )
      yield* reportOf(Effect.void, layer, { stopPolicy: { releaseConcurrency: 1 } })
      const begun = ["one", "two", "three"].map((name) => timeOf(journal, name, "releasing"))
      assert.deepStrictEqual(begun.toSorted((a, b) => a - b), [0, 2_000, 4_000])
    }))

  it.effect("sees dependencies through unmanaged layers", () =>
    Effect.gen(function*() {
      class Url extends Context.Service<Url, string>()("test/Url") {}
      class Client extends Context.Service<Client, string>()("test/Client") {}
      const db = Service.layer(Url, Effect.succeed("db://"))
      const client = Layer.effect(Client, Effect.map(Url, (url) => `client of ${url}`)).pipe(Layer.provide(db))
      const api = Service.manage("api", Layer.effectDiscard(Client)).pipe(Layer.provide(client))
      const { report } = yield* reportOf(Effect.void, api)
      assert.deepStrictEqual(serviceOf(report, "api").dependsOn, ["test/Url"])
    }))

  it.effect("separates what a service needs from what it only passes on", () =>
    Effect.gen(function*() {
      class A extends Context.Service<A, string>()("test/A") {}
      class B extends Context.Service<B, string>()("test/B") {}
      class C extends Context.Service<C, string>()("test/C") {}
      const a = Service.layer(A, Effect.succeed("a"))
      const b = Service.layer(B, Effect.map(A, (a) => `b of ${a}`))
      const c = (needs: Effect.Effect<unknown, never, A | B>) => Service.layer(C, Effect.as(needs, "c"))
      const chain = (needs: Effect.Effect<unknown, never, A | B>) =>
        c(needs).pipe(Layer.provideMerge(b), Layer.provideMerge(a))
      const needs = (layer: Layer.Layer<never>) =>
        Effect.map(reportOf(Effect.void, layer), ({ report }) => serviceOf(report, "test/C").dependsOn.toSorted())
      assert.deepStrictEqual(yield* needs(chain(B)), ["test/B"])
      assert.deepStrictEqual(yield* needs(chain(Effect.andThen(A, B))), ["test/A", "test/B"])
      // where it asks for nothing at all, what it was given is what it depends on
      assert.deepStrictEqual(yield* needs(chain(Effect.void)), ["test/A", "test/B"])
      assert.deepStrictEqual(yield* needs(Layer.provide(c(A), [a, Layer.provide(b, a)])), ["test/A", "test/B"])
    }))

  it.effect("gives every service its own limit, and names those that missed it", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = Layer.mergeAll(
        probe(journal, "patient", { release: { ms: 3_000, ends: "well" } }),
        probe(journal, "late", { release: slow, stop: { timeout: "1s" } }),
        probe(journal, "hung", { release: never, stop: { timeout: "1s" } })
      )
      const { report } = yield* reportOf(Effect.void, layer)
      assert.deepStrictEqual(report.services.map(({ name, outcome }) => [name, outcome]), [
        ["patient", "released"],
        ["late", "timed-out"],
        ["hung", "abandoned"]
      ])
    }))

  it.effect("shares one deadline, also in a long chain of services that hang", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      let layer = probe(journal, "0", { release: never })
      for (let i = 1; i < 12; i++) layer = probe(journal, String(i), { release: never, needs: [layer] })
      const { report } = yield* reportOf(Effect.void, layer)
      assert.isAtMost(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 25_000)
      assert.isTrue(report.services.every((service) => service.outcome === "abandoned" && service.cleanupCalled))
    }))

  it.effect("keeps a reserve for the release, however long the phases before it take", () =>
    Effect.gen(function*() {
      const release = { ms: 2_000, ends: "well" } as const
      const run = yield* submit(Effect.uninterruptible(Effect.never), probe(new Journal(), "db", { release }), {
        stopPolicy: { deadline: "6s" }
      })
      const { report } = yield* stopWithin(run, "6 seconds")
      assert.deepStrictEqual(report.phases.map(({ durationMs, phase }) => [phase, durationMs]), [
        ["cancel", 3_000],
        ["release", 2_000]
      ])
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }).pipe(local))

  it.effect("begins every release, also of those that wait for their turn when there is no time left", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = Layer.mergeAll(
        probe(journal, "first"),
        probe(journal, "slow", { release: slow }),
        probe(journal, "bad", { acquire: dies })
      )
      const { report } = yield* reportOf(Effect.void, layer, {
        stopPolicy: { strategy: "immediate", releaseConcurrency: 1 }
      })
      assert.deepStrictEqual(report.services.map((service) => [service.cleanupCalled, service.outcome]), [
        [true, "released"],
        [true, "abandoned"],
        [true, "start-failed"]
      ])
    }))

  it.effect("counts what a cancel drops where it was dropped", () =>
    Effect.gen(function*() {
      const delivered: Array<number> = []
      const run = yield* submit(
        Stream.range(1, 10).pipe(
          Pipeline.source("range"),
          Pipeline.mapParallel((n) => n > 4 ? Effect.never : Effect.succeed(n), { concurrency: 2, name: "work" }),
          Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
        )
      )
      yield* settle
      yield* run.stop({ mode: "cancel" })
      const { report } = yield* run.result
      assert.deepStrictEqual(delivered, [1, 2, 3, 4])
      assert.deepStrictEqual(report.stages, [
        { name: "range", kind: "source", count: 10 },
        { name: "work", kind: "mapParallel", count: 4, dropped: 6, upstream: ["range"] }
      ])
    }).pipe(local))

  it.effect("keeps time for the services beneath those that hang", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      let layer = probe(journal, "db", { release: { ms: 500, ends: "well" } })
      for (let i = 0; i < 8; i++) layer = probe(journal, `hung-${i}`, { release: never, needs: [layer] })
      const { report } = yield* reportOf(Effect.void, layer)
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }))

  it.effect("ends the other releases at once after a failed one, if the policy says so", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = Layer.mergeAll(probe(journal, "bad", { release: dies }), probe(journal, "slow", { release: slow }))
      const { report } = yield* reportOf(Effect.void, layer, { stopPolicy: { onReleaseFailure: "kill" } })
      assert.deepStrictEqual(report.services.map((service) => service.outcome), ["release-failed", "abandoned"])
      assert.strictEqual(report.stoppedAt, report.startedAt)
    }))

  it.effect("waits out the delay, which the job can see, then drains", () =>
    Effect.gen(function*() {
      const noticed: Array<number> = []
      const run = yield* submit(
        Effect.gen(function*() {
          yield* Effect.forkChild(
            Effect.andThen(
              Job.stopping,
              Effect.clockWith((clock) => Effect.sync(() => noticed.push(clock.currentTimeMillisUnsafe())))
            )
          )
          yield* Stream.never.pipe(Pipeline.source("never"), Stream.runDrain)
        }),
        undefined,
        { stopPolicy: { delay: "2 seconds" } }
      )
      yield* settle
      yield* run.stop()
      yield* settle
      assert.deepStrictEqual(noticed, [0])
      assert.strictEqual(yield* run.status, "stopping")
      yield* TestClock.adjust("2 seconds")
      const { report } = yield* run.result
      assert.deepStrictEqual(report.phases.map(({ durationMs, phase }) => [phase, durationMs]), [["delay", 2_000], [
        "drain",
        0
      ]])
      assert.strictEqual(report.outcome, "succeeded")
    }).pipe(local))

  it.effect("is overtaken by a harsher stop while a gentle one is under way", () =>
    Effect.gen(function*() {
      const stuck = Stream.make(1).pipe(
        Stream.concat(Stream.never),
        Pipeline.source("one"),
        Stream.mapEffect(() => Effect.never),
        Stream.runDrain
      )
      const run = yield* submit(stuck, probe(new Journal(), "hung", { release: never }))
      yield* settle
      yield* run.stop({ mode: "drain", reason: "deploy" })
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* run.stop({ mode: "cancel" })
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* run.stop({ mode: "kill" })
      const { report } = yield* run.result
      assert.deepStrictEqual(report.phases.map(({ durationMs, phase }) => [phase, durationMs]), [
        ["drain", 1_000],
        ["cancel", 0],
        ["release", 1_000],
        ["kill", 0]
      ])
      assert.deepInclude(report, { trigger: "stopped", reason: "deploy", outcome: "cancelled" })
      assert.strictEqual(serviceOf(report, "hung").outcome, "abandoned")
    }).pipe(local))

  it.effect("follows the strategy", () =>
    Effect.gen(function*() {
      const phases = (strategy: "graceful" | "fast" | "immediate" | "patient") =>
        Effect.gen(function*() {
          const sticky = Stream.never.pipe(Pipeline.source("never"), Stream.runDrain)
          const run = yield* submit(sticky, probe(new Journal(), "slow", { release: { ms: 60_000, ends: "well" } }), {
            stopPolicy: { strategy }
          })
          yield* settle
          yield* run.stop()
          yield* settle
          yield* TestClock.adjust("2 minutes")
          const { report } = yield* run.result
          return [
            ...report.phases.map(({ durationMs, phase }) => `${phase} ${durationMs}`),
            report.services[0]?.outcome
          ]
        })
      assert.deepStrictEqual(yield* phases("graceful"), ["drain 0", "release 5000", "kill 0", "abandoned"])
      assert.deepStrictEqual(yield* phases("fast"), ["cancel 0", "release 5000", "kill 0", "abandoned"])
      assert.deepStrictEqual(yield* phases("immediate"), ["cancel 0", "release 0", "kill 0", "abandoned"])
      assert.deepStrictEqual(yield* phases("patient"), ["drain 0", "release 60000", "released"])
    }).pipe(local))

  it.effect("skips the drain where no source runs", () =>
    Effect.gen(function*() {
      const run = yield* submit(Effect.sleep("1 hour"))
      yield* settle
      yield* run.stop()
      const { report } = yield* run.result
      assert.deepStrictEqual(report.phases.map((phase) => phase.phase), ["cancel"])
      assert.strictEqual(report.outcome, "cancelled")
    }).pipe(local))
})
