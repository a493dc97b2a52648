import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Environment, Job, JobEvent, LocalEnvironment, Pipeline, Service } from "../src/index.ts"
import { assertClean, Journal, probe } from "../src/testing.ts"
import { jobOf, reportOf, serviceOf, settle, stopWithin, submit } from "./support/jobs.ts"

const slow = { ms: 2_000, ends: "well" } as const
const never = { ms: 0, ends: "never" } as const
const dies = { ms: 0, ends: "die" } as const
const local = Effect.provide(LocalEnvironment.layer)

/** When something happened to a probe. */
const at = (journal: Journal, service: string, what: Parameters<Journal["has"]>[1]): number =>
  journal.entries[journal.indexOf(service, what)]?.at ?? assert.fail(`${service} was never ${what}`)

describe("a submit", () => {
  it.effect("gives its result only after the last service is gone", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const run = yield* submit(Effect.succeed(1), probe(journal, "slow", { release: slow }))
      const result = yield* Effect.forkChild(run.result)
      yield* settle
      assert.isUndefined(result.pollUnsafe(), "the result came before the service had stopped")
      yield* TestClock.adjust("2 seconds")
      const { exit, report } = yield* Fiber.join(result)
      assert.deepStrictEqual(exit, Exit.succeed(1))
      assert.strictEqual(at(journal, "slow", "released"), 2_000)
      assertClean(report)
    }).pipe(local))

  it.effect("returns at once, and the status follows the job", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const run = yield* submit(
        Effect.sleep("1 second"),
        probe(journal, "slow", { acquire: slow, release: slow })
      )
      const statuses = [yield* run.status]
      for (const step of [0, 2_000, 1_000, 2_000]) {
        yield* settle
        yield* TestClock.adjust(step)
        yield* settle
        statuses.push(yield* run.status)
      }
      assert.deepStrictEqual(statuses, ["starting", "starting", "running", "stopping", "stopped"])
    }).pipe(local))

  it.effect("of a job whose service cannot start fails with its cause, and releases what had started", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = Layer.mergeAll(probe(journal, "good"), probe(journal, "bad", { acquire: dies }))
      const { exit, report } = yield* reportOf(Effect.succeed("never reached"), layer)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.instanceOf(error, Job.ServiceError)
      assert.include(error, { service: "bad", phase: "start" })
      assert.include(String((error as Job.ServiceError).cause), "bad dies")
      assert.strictEqual(report.outcome, "failed")
      assert.strictEqual(serviceOf(report, "good").outcome, "released")
      assert.strictEqual(serviceOf(report, "bad").outcome, "start-failed")
      assertClean(report)
    }))

  it.effect("refuses two services of one name, by name, and releases the first", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const { exit, report } = yield* reportOf(
        Effect.void,
        Layer.mergeAll(probe(journal, "twin"), probe(journal, "twin"))
      )
      const error = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : assert.fail("it succeeded")
      assert.include(error, "two services are named \"twin\"")
      assert.deepStrictEqual(report.services.map((service) => service.outcome), ["released", "start-failed"])
    }))

  it.effect("refuses a service whose limit is longer than the deadline, and names both", () =>
    Effect.gen(function*() {
      const { exit } = yield* reportOf(Effect.void, probe(new Journal(), "db", { stop: { timeout: "30s" } }))
      const error = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : assert.fail("it succeeded")
      assert.include(error, "the stop timeout of service \"db\" is 30000 ms")
      assert.include(error, "deadline (25000 ms)")
    }))

  it.effect("refuses an id that is taken, and a contract without its run", () =>
    Effect.gen(function*() {
      yield* submit(Effect.never, undefined, { id: "one" })
      const taken = yield* Effect.flip(submit(Effect.never, undefined, { id: "one" }))
      assert.strictEqual(taken.message, "a job with the id one is running")
      const contract = yield* Effect.flip(
        Environment.submit(Job.make("alone", { payload: { n: Schema.Int } }), { n: 1 })
      )
      assert.include(contract.message, "\"alone\" is a contract")
    }).pipe(local))

  it.effect("refuses a payload that does not fit, by its path, with nothing started", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const job = Job.make("typed", {
        payload: { rows: Schema.Array(Schema.Struct({ n: Schema.Int })) },
        services: probe(journal, "db"),
        run: () => Effect.void
      })
      const error = yield* Effect.flip(Environment.submit(job, { rows: [{ n: 1 }, { n: 1.5 }] }))
      assert.include(error.message, "[\"rows\"][1][\"n\"]")
      assert.deepStrictEqual(journal.entries, [])
    }).pipe(local))

  it.effect("takes a payload that is null, and none where none is declared", () =>
    Effect.gen(function*() {
      const nullable = Job.make("nullable", {
        payload: Schema.NullOr(Schema.String),
        success: Schema.Boolean,
        run: (payload) => Effect.succeed(payload === null)
      })
      assert.isTrue(yield* Environment.run(nullable, null))
    }).pipe(local))

  it.effect("opens no port and installs no signal handler", () =>
    Effect.gen(function*() {
      const before = process.eventNames().map((name) => [name, process.listenerCount(name)])
      const handles = process.getActiveResourcesInfo().filter((type) => type.startsWith("TCP"))
      yield* submit(Effect.never, probe(new Journal(), "db"))
      yield* settle
      assert.deepStrictEqual(process.eventNames().map((name) => [name, process.listenerCount(name)]), before)
      assert.deepStrictEqual(process.getActiveResourcesInfo().filter((type) => type.startsWith("TCP")), handles)
    }).pipe(local))

  it.effect("keeps its final status, result and events after it has stopped", () =>
    Effect.gen(function*() {
      const run = yield* submit(Effect.fail("no"))
      const first = yield* run.result
      yield* run.stop({ mode: "kill" })
      assert.strictEqual(yield* run.status, "stopped")
      assert.strictEqual((yield* run.result).report, first.report)
      const events = yield* Stream.runCollect(run.events)
      assert.deepStrictEqual(events.map((event) => event._tag), [
        "JobSubmitted",
        "RunStarted",
        "RunEnded",
        "StopRequested",
        "JobStopped"
      ])
      for (const event of events) Schema.decodeUnknownSync(JobEvent)(JSON.parse(JSON.stringify(event)))
    }).pipe(local))
})

describe("Environment.run", () => {
  it.effect("ends as the job ends", () =>
    Effect.gen(function*() {
      const job = Job.make("typed", {
        payload: { n: Schema.Int },
        success: Schema.Int,
        error: Schema.String,
        run: ({ n }) => n < 0 ? Effect.fail("negative") : Effect.succeed(n + 1)
      })
      assert.strictEqual(yield* Environment.run(job, { n: 1 }), 2)
      assert.strictEqual(yield* Effect.flip(Environment.run(job, { n: -1 })), "negative")
    }).pipe(local))

  it.effect("is interrupted only once its services are gone", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const job = jobOf(Effect.never, probe(journal, "slow", { release: slow }))
      const caller = yield* Effect.forkChild(Environment.run(job, {}))
      yield* settle
      const interrupt = yield* Effect.forkChild(Fiber.interrupt(caller))
      yield* settle
      assert.isUndefined(interrupt.pollUnsafe(), "the interrupt did not wait for the release")
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(interrupt)
      assert.isTrue(journal.has("slow", "released"))
    }).pipe(local))
})

describe("the owner of a job", () => {
  it.effect("that is interrupted while it does something else stops the job", () =>
    Effect.gen(function*() {
      const handle: Array<Effect.Success<ReturnType<typeof submit>>> = []
      const caller = yield* Effect.forkChild(Effect.gen(function*() {
        handle.push(yield* submit(Effect.never, probe(new Journal(), "db")))
        return yield* Effect.never
      }))
      yield* settle
      yield* Fiber.interrupt(caller)
      const [run = assert.fail("it was not submitted")] = handle
      const { report } = yield* run.result
      assert.deepInclude(report, { trigger: "stopped", reason: "the fiber that submitted it was interrupted" })
      assertClean(report)
    }).pipe(local))

  it.effect("that closes its scope waits for the services", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const scope = yield* Scope.make()
      const run = yield* Scope.provide(submit(Effect.never, probe(journal, "slow", { release: slow })), scope)
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)
      assert.isTrue(journal.has("slow", "released"))
      assert.strictEqual((yield* run.result).report.trigger, "stopped")
    }).pipe(local))

  it.effect("whose scope has closed before gets a job that is stopped at once", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const run = yield* Scope.provide(submit(Effect.never, probe(journal, "db")), scope)
      const { report } = yield* run.result
      assert.deepInclude(report, { trigger: "stopped", outcome: "cancelled" })
      assert.deepStrictEqual(journal.entries, [])
    }).pipe(local))

  it.effect("that releases the environment waits for the services of every job", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(LocalEnvironment.layer, scope)
      yield* Effect.provideContext(submit(Effect.never, probe(journal, "one", { release: slow })), context)
      yield* Effect.provideContext(submit(Effect.never, probe(journal, "two", { release: slow })), context)
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)
      assert.isTrue(journal.has("one", "released") && journal.has("two", "released"))
    }))

  it.effect("may wait for a result with a time limit, and the job goes on", () =>
    Effect.gen(function*() {
      const run = yield* submit(Effect.sleep("1 minute"))
      const waiting = yield* Effect.forkChild(Effect.timeoutOption(run.result, "1 second"))
      yield* settle
      yield* TestClock.adjust("1 second")
      assert.isTrue((yield* Fiber.join(waiting))._tag === "None")
      assert.strictEqual(yield* run.status, "running")
    }).pipe(local))
})

describe("autostop", () => {
  it.effect("false keeps the services up until a stop, and the run's own end is kept", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const run = yield* submit(Effect.succeed(7), probe(journal, "db"), { autostop: false })
      yield* settle
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* run.status, "running")
      assert.isFalse(journal.has("db", "releasing"))
      yield* run.stop({ reason: "enough" })
      const { exit, report } = yield* run.result
      assert.deepStrictEqual(exit, Exit.succeed(7))
      assert.deepInclude(report, { trigger: "stopped", reason: "enough", outcome: "succeeded" })
    }).pipe(local))

  it.effect("idle stops once no source has emitted for that long, and not before", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<number>()
      const sink = Stream.fromQueue(queue).pipe(Pipeline.source("queue"), Stream.runCount)
      const run = yield* submit(sink, undefined, { autostop: { idle: "10 seconds" } })
      yield* settle
      for (let i = 0; i < 5; i++) {
        yield* TestClock.adjust("9 seconds")
        yield* settle
        assert.strictEqual(yield* run.status, "running")
        yield* Queue.offer(queue, i)
        yield* settle
      }
      yield* TestClock.adjust("10 seconds")
      const { exit, report } = yield* run.result
      assert.deepStrictEqual(exit, Exit.succeed(5))
      assert.deepInclude(report, { trigger: "idle", outcome: "succeeded" })
    }).pipe(local))

  it.effect("idle does not stop a job whose source has ended while its elements are still at work", () =>
    Effect.gen(function*() {
      const work = Stream.range(1, 3).pipe(
        Pipeline.source("range"),
        Pipeline.mapParallel((n) => Effect.sleep(n * 20_000), { concurrency: 5 }),
        Stream.runDrain
      )
      const { report } = yield* reportOf(work, undefined, { autostop: { idle: "5 seconds" } })
      assert.deepInclude(report, { trigger: "completed", outcome: "succeeded" })
      assert.strictEqual(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 60_000)
    }))

  it.effect("after is a deadline for the run", () =>
    Effect.gen(function*() {
      const { report } = yield* reportOf(Effect.never, undefined, { autostop: { after: "3 seconds" } })
      assert.deepInclude(report, { trigger: "deadline", outcome: "cancelled" })
      assert.strictEqual(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 3_000)
    }))

  it.effect("with a limit still stops when the run ends", () =>
    Effect.gen(function*() {
      const { report } = yield* reportOf(Effect.void, undefined, { autostop: { idle: "1 hour" } })
      assert.strictEqual(report.trigger, "completed")
    }))
})

describe("the stop sequence", () => {
  it.effect("releases dependents first and siblings in parallel", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db", { release: slow })
      const left = probe(journal, "left", { release: slow, needs: [db] })
      const right = probe(journal, "right", { release: slow, needs: [db] })
      const { report } = yield* reportOf(Effect.void, probe(journal, "api", { release: slow, needs: [left, right] }))
      assert.deepStrictEqual(
        ["api", "left", "right", "db"].map((name) => at(journal, name, "releasing")),
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
      const begun = ["one", "two", "three"].map((name) => at(journal, name, "releasing"))
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

  it.effect("tells what a service needs from what is only passed by it", () =>
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
        { name: "work", kind: "mapParallel", count: 4, dropped: 6 }
      ])
    }).pipe(local))

  it.effect("keeps time for what is beneath services that hang", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      let layer = probe(journal, "db", { release: { ms: 500, ends: "well" } })
      for (let i = 0; i < 8; i++) layer = probe(journal, `hung-${i}`, { release: never, needs: [layer] })
      const { report } = yield* reportOf(Effect.void, layer)
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }))

  it.effect("lets a failed release end the others at once, if told to", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = Layer.mergeAll(probe(journal, "bad", { release: dies }), probe(journal, "slow", { release: slow }))
      const { report } = yield* reportOf(Effect.void, layer, { stopPolicy: { onReleaseFailure: "kill" } })
      assert.deepStrictEqual(report.services.map((service) => service.outcome), ["release-failed", "abandoned"])
      assert.strictEqual(report.stoppedAt, report.startedAt)
    }))

  it.effect("waits out the delay with the notice given, then drains", () =>
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

describe("a service", () => {
  class Echo extends Context.Service<Echo, {
    readonly slow: (n: number) => Effect.Effect<number>
    readonly fast: Effect.Effect<number>
  }>()("test/Echo") {}

  it.effect("is called concurrently: a slow call blocks no other, and one that timed out does not run on", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const layer = Service.layer(
        Echo,
        Effect.succeed(Echo.of({
          slow: (n) =>
            Effect.as(Effect.andThen(Effect.sleep("5 seconds"), Effect.sync(() => void events.push("ran on"))), n),
          fast: Effect.sync(() => events.push("fast"))
        }))
      )
      const run = Effect.gen(function*() {
        const slow = yield* Effect.forkChild(Effect.timeoutOption(Echo.use((echo) => echo.slow(1)), "1 second"))
        yield* Echo.use((echo) => echo.fast)
        assert.strictEqual((yield* Fiber.join(slow))._tag, "None")
        yield* Effect.sleep("10 seconds")
      })
      const { exit, report } = yield* reportOf(run, layer)
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(events, ["fast"])
      assert.strictEqual(serviceOf(report, "test/Echo").used, 2)
    }))

  it.effect("stays the object that it is: its state, and members that are classes or tags", () =>
    Effect.gen(function*() {
      class Row {
        readonly n = 1
      }
      class Other extends Context.Service<Other, number>()("test/Other") {}
      class Counter extends Context.Service<Counter, {
        rows: number
        readonly add: (n: number) => Effect.Effect<void>
        readonly Row: typeof Row
        readonly Other: typeof Other
      }>()("test/Counter") {}
      const layer = Service.layer(
        Counter,
        Effect.sync(() => {
          const self = { rows: 0, Row, Other, add: (n: number) => Effect.sync(() => void (self.rows += n)) }
          return self
        })
      )
      const run = Effect.gen(function*() {
        const counter = yield* Counter
        yield* counter.add(3)
        yield* counter.add(4)
        counter.rows++
        assert.strictEqual(new counter.Row().n, 1)
        assert.strictEqual(counter.Other.key, "test/Other")
        return counter.rows
      })
      const { exit, report } = yield* reportOf(run, layer)
      assert.deepStrictEqual(exit, Exit.succeed(8))
      assert.strictEqual(serviceOf(report, "test/Counter").used, 2)
    }))

  it.effect("that run provides and that could not start may be tried again", () =>
    Effect.gen(function*() {
      let tries = 0
      const flaky = Service.manage(
        "flaky",
        Layer.effectDiscard(Effect.suspend(() => ++tries < 3 ? Effect.fail("refused") : Effect.void))
      )
      const run = Effect.retry(Effect.as(Effect.provide(Effect.void, flaky), "at last"), { times: 5 })
      const { exit, report } = yield* reportOf(run)
      assert.deepStrictEqual(exit, Exit.succeed("at last"))
      assert.strictEqual(report.outcome, "succeeded")
      assert.strictEqual(tries, 3)
    }))

  it.effect("is depended upon also where its layer is fresh", () =>
    Effect.gen(function*() {
      class A extends Context.Service<A, string>()("test/A") {}
      const a = Service.layer(A, Effect.succeed("a"))
      const b = Service.manage("b", Layer.effectDiscard(A)).pipe(Layer.provide(Layer.fresh(a)))
      const { report } = yield* reportOf(Effect.void, b)
      assert.deepStrictEqual(serviceOf(report, "b").dependsOn, ["test/A"])
    }))

  it.effect("built in a scope that has closed is released at once, and counts as one that did not start", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const late = probe(journal, "late")
      const early = Service.manage(
        "early",
        Layer.effectDiscard(Effect.gen(function*() {
          const scope = Scope.makeUnsafe()
          yield* Scope.close(scope, Exit.void)
          const memoMap = Option.getOrThrow(yield* Effect.serviceOption(Layer.CurrentMemoMap))
          yield* Layer.buildWithMemoMap(late, memoMap, scope)
          assert.isTrue(journal.has("late", "released"))
        }))
      )
      const { report } = yield* reportOf(Effect.void, early)
      assert.strictEqual(serviceOf(report, "early").outcome, "released")
      assert.strictEqual(serviceOf(report, "late").outcome, "start-failed")
      assertClean(report)
    }))

  it.effect("that run provides itself, again and again, is released each time and leaves one line", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const layer = probe(journal, "each")
      const provide = Effect.provide(Effect.sleep("1 second"), layer)
      const run = Effect.andThen(
        Effect.forEach([1, 2, 3, 4], () => provide, { concurrency: 2 }),
        Effect.forEach([1, 2, 3, 4], () => provide)
      )
      const { report } = yield* reportOf(run)
      assertClean(report)
      assert.strictEqual(journal.entries.filter((entry) => entry.what === "released").length, 8)
      assert.deepStrictEqual(report.services.map(({ name, outcome }) => [name, outcome]), [["each", "released"]])
    }))

  it.effect("that run provides beside one of the same name leaves the line of that one", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const dying = probe(journal, "db", { release: dies })
      const run = Effect.forEach([1, 2, 3], () => Effect.provide(Effect.void, Layer.fresh(probe(journal, "db"))))
      const { report } = yield* reportOf(run, dying)
      assert.deepStrictEqual(report.services.map(({ name, outcome }) => [name, outcome]), [["db", "release-failed"]])
    }))

  it.effect("that run provides and that fails once leaves the line of that time too", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const [well, dying] = [probe(journal, "each"), probe(journal, "each", { release: dies })]
      const run = Effect.forEach([well, dying, well, well], (layer) => Effect.exit(Effect.provide(Effect.void, layer)))
      const { report } = yield* reportOf(run)
      assert.deepStrictEqual(report.services.map(({ outcome }) => outcome), ["release-failed", "released"])
    }))

  it.effect("that run provides and that dies leaves the line of that time too", () =>
    Effect.gen(function*() {
      class Tool extends Context.Service<Tool, string>()("test/Tool") {}
      let times = 0
      const dies = Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), Effect.die(new Error("lost"))))
      const tool = Service.layer(Tool, Effect.suspend(() => times++ === 0 ? Effect.as(dies, "") : Effect.succeed("")))
      const use = Effect.provide(Effect.andThen(Tool, Effect.never), tool)
      const run = Effect.ensuring(use, Effect.provide(Effect.asVoid(Tool), tool))
      const { report } = yield* reportOf(run)
      assert.deepStrictEqual(report.services.map(({ error }) => error), ["lost", undefined])
    }))

  it.effect("that comes and goes time after time leaves the events of one that came and went during the start", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const tool = probe(journal, "tool")
      const own = Layer.effectDiscard(Effect.provide(Effect.void, tool))
      const run = Effect.forEach(Array.from({ length: 600 }), () => Effect.provide(Effect.void, tool), {
        discard: true
      })
      const job = yield* submit(run, Service.manage("own", own))
      yield* job.result
      const events = yield* Stream.runCollect(job.events)
      const began = events.findIndex(({ _tag }) => _tag === "RunStarted")
      const ofTool = (events: ReadonlyArray<JobEvent>) =>
        events.filter((event) => "service" in event && event.service === "tool")
      assert.lengthOf(ofTool(events.slice(0, began)), 4)
      assert.isBelow(ofTool(events).length, 4 * 300)
    }).pipe(local))

  it.effect("refused while one of its name is up has a name of its own", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const refused = probe(journal, "x", { stop: { timeout: "1 hour" } })
      const inner = Effect.exit(Effect.provide(Effect.void, Layer.fresh(refused)))
      const { report } = yield* reportOf(Effect.provide(inner, probe(journal, "x")))
      assert.deepStrictEqual(
        report.services.map(({ name, outcome }) => [name, outcome]),
        [["x", "released"], ["x#2", "start-failed"]]
      )
    }))

  it.effect("depends on all that it has built while it ran, by the names of their lines", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const server = Service.manage(
        "server",
        Layer.effectDiscard(Effect.gen(function*() {
          const memoMap = Option.getOrThrow(yield* Effect.serviceOption(Layer.CurrentMemoMap))
          const build = (layer: Layer.Layer<never>) =>
            Effect.scoped(Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(layer, memoMap, scope)))
          const inner = (n: number) => Layer.provide(Layer.effectDiscard(Effect.void), probe(journal, `inner ${n % 2}`))
          const requests = Effect.forEach(Array.from({ length: 50 }), (_, n) =>
            build(n < 25 ? probe(journal, `tool ${n % 2}`) : inner(n)))
          yield* Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), requests))
        }))
      )
      const { report } = yield* reportOf(Effect.sleep("1 minute"), server)
      assert.deepStrictEqual(
        serviceOf(report, "server").dependsOn.toSorted(),
        ["inner 0", "inner 1", "tool 0", "tool 1"]
      )
      assert.lengthOf(report.services, 5)
    }))

  it.effect("whose name begins with that of another is not forgotten with it", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const provide = Effect.provide(Effect.void, probe(journal, "app"))
      const bad = Effect.exit(Effect.provide(Effect.void, probe(journal, "app/db", { release: dies })))
      const run = Effect.gen(function*() {
        const scope = yield* Effect.scope
        const stays = Effect.andThen(Layer.buildWithScope(probe(journal, "app/stays"), scope), bad)
        yield* Effect.provide(stays, probe(journal, "app"))
        yield* Effect.forEach(Array.from({ length: 600 }), () => provide, { discard: true })
      })
      const job = yield* submit(run)
      yield* job.result
      const events = yield* Stream.runCollect(job.events)
      const count = (name: string) => events.filter((event) => "service" in event && event.service === name).length
      assert.deepStrictEqual([count("app/db"), count("app/stays")], [4, 4])
      assert.isBelow(count("app"), 4 * 300)
    }).pipe(local))

  it.effect("whose value was made before, by one that has stopped, is released after what needs it", () =>
    Effect.gen(function*() {
      class Db extends Context.Service<Db, object>()("test/Db") {}
      const [client, released]: [object, Array<string>] = [{}, []]
      const end = (name: string) => Effect.sync(() => released.push(name))
      const db = () => Service.layer(Db, Effect.acquireRelease(Effect.succeed(client), () => end("db")), { name: "db" })
      const migrate = Layer.effectDiscard(Effect.provide(Effect.asVoid(Db), db()))
      const api = Service.manage(
        "api",
        Layer.effectDiscard(
          Effect.andThen(Db, Effect.addFinalizer(() => Effect.andThen(Effect.sleep("1 second"), end("api"))))
        ),
        { stop: { timeout: "5 seconds" } }
      )
      const hangs = Layer.effectDiscard(Effect.addFinalizer(() => Effect.never))
      const services = hangs.pipe(Layer.provideMerge(api), Layer.provideMerge(db()), Layer.provideMerge(migrate))
      const { report } = yield* stopWithin(yield* submit(Effect.never, services), "10 minutes")
      assert.deepStrictEqual(released, ["db", "api", "db"])
      assert.deepStrictEqual(serviceOf(report, "api").dependsOn, ["db"])
    }).pipe(local))

  it.effect("depends on what a layer within it has built while it ran, and on a line of its own", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const gateway = Layer.fromBuildMemo((memoMap, scope) =>
        Effect.gen(function*() {
          const build = (layer: Layer.Layer<never>) =>
            Effect.scoped(Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(layer, memoMap, scope)))
          const named = (n: number) => probe(journal, n < 25 ? "first" : "second")
          const requests = Effect.andThen(
            Effect.exit(build(probe(journal, "tool", { release: dies }))),
            Effect.forEach(Array.from({ length: 50 }), (_, n) => build(named(n)))
          )
          yield* Effect.forkIn(Effect.andThen(Effect.sleep("1 second"), requests), scope)
          return yield* Layer.buildWithMemoMap(Layer.effectDiscard(Effect.void), memoMap, scope)
        })
      )
      const server = Service.manage("server", Layer.mergeAll(gateway, Layer.effectDiscard(Effect.void)))
      const { report } = yield* reportOf(Effect.sleep("1 minute"), Layer.mergeAll(server, probe(journal, "tool")))
      assert.deepStrictEqual(serviceOf(report, "server").dependsOn.toSorted(), ["first", "second", "tool#2"])
    }))

  it.effect("that a fresh one has built and still shares keeps its part of the time", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const tool = probe(journal, "tool")
      const server = Service.manage(
        "server",
        Layer.effectDiscard(Effect.gen(function*() {
          const memoMap = Option.getOrThrow(yield* Effect.serviceOption(Layer.CurrentMemoMap))
          const other = Scope.makeUnsafe()
          const build = (layer: Layer.Layer<never>) =>
            Effect.scoped(Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(layer, memoMap, scope)))
          yield* Effect.forkScoped(Effect.gen(function*() {
            yield* Effect.sleep("1 second")
            const shares = Layer.buildWithMemoMap(tool, memoMap, other)
            yield* Effect.scoped(Effect.flatMap(Effect.scope, (scope) =>
              Effect.andThen(Layer.buildWithMemoMap(tool, memoMap, scope), shares)))
            for (let n = 0; n < 40; n++) {
              yield* build(Layer.effectDiscard(Effect.void))
            }
          }))
          yield* Effect.addFinalizer(() =>
            Effect.andThen(Effect.sleep("30 seconds"), Scope.close(other, Exit.void))
          )
        }))
      )
      const run = yield* submit(Effect.never, Layer.fresh(server), {
        stopPolicy: { deadline: "10 seconds", releaseTimeout: "10 seconds" }
      })
      yield* settle
      yield* TestClock.adjust("5 seconds")
      const { report } = yield* stopWithin(run, "10 minutes")
      assert.isBelow(serviceOf(report, "server").releaseMs, 10_000)
    }).pipe(local))

  it.effect("depends on no line that is not there", () =>
    Effect.gen(function*() {
      class Db extends Context.Service<Db, string>()("test/Db") {}
      const db = () => Service.layer(Db, Effect.succeed(""), { name: "db" })
      const api = Service.manage("api", Layer.effectDiscard(Db).pipe(Layer.provide(db())))
      const run = Effect.all([
        Effect.provide(Effect.sleep("1 minute"), db()),
        Effect.andThen(Effect.sleep("1 second"), Effect.provide(Effect.sleep("1 second"), api))
      ], { concurrency: 2 })
      const { report } = yield* reportOf(run)
      assert.deepStrictEqual(report.services.map(({ dependsOn, name }) => [name, dependsOn]), [["db", []], ["api", [
        "db"
      ]]])
    }))

  it.effect("asked for by two, whose error has no text, fails for both", () =>
    Effect.gen(function*() {
      const untold: unknown = Object.assign(Object.create(null), { size: 1n })
      const bad = Service.layer(
        Context.Service<"test/Bad", string>("test/Bad"),
        Effect.andThen(Effect.sleep("1 second"), Effect.fail(untold))
      )
      const exits: Array<string> = []
      const run = Effect.gen(function*() {
        const memoMap = Option.getOrThrow(yield* Effect.serviceOption(Layer.CurrentMemoMap))
        const build = Effect.scoped(
          Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(bad, memoMap, scope))
        )
        const both = yield* Effect.all([Effect.exit(build), Effect.exit(build)], { concurrency: 2 })
        exits.push(...both.map((exit) => exit._tag))
      })
      const { report } = yield* reportOf(run)
      assert.deepStrictEqual(exits, ["Failure", "Failure"])
      assert.strictEqual(serviceOf(report, "test/Bad").error, "an error that has no text")
    }))

  it.effect("may be of any depth, with each of its layers shared by two", () =>
    Effect.gen(function*() {
      const value = (key: string) => Layer.succeed(Context.Service<string, number>(key), 1)
      let layer: Layer.Layer<string> = value("0")
      for (let n = 0; n < 40; n++) {
        layer = Layer.merge(Layer.provide(value(`left ${n}`), layer), Layer.provide(value(`right ${n}`), layer))
      }
      const { report } = yield* reportOf(Effect.void, Service.manage("deep", layer))
      assertClean(report)
    }))

  it.effect("whose layers wait for each other is given up, and its fibers are interrupted", () =>
    Effect.gen(function*() {
      const value = (key: string) => Layer.effect(Context.Service<string, number>(key), Effect.succeed(1))
      const one: Layer.Layer<string> = Layer.suspend(() => Layer.merge(value("one"), two))
      const two: Layer.Layer<string> = Layer.suspend(() => Layer.merge(value("two"), one))
      const exits: Array<Exit.Exit<unknown, unknown>> = []
      const late = Layer.effectDiscard(Effect.gen(function*() {
        yield* Effect.sleep("1 second")
        const fiber = yield* Effect.forkScoped(Effect.never)
        fiber.addObserver((exit) => exits.push(exit))
      }))
      const { report } = yield* reportOf(Effect.void, Service.manage("round", Layer.merge(late, one)))
      assert.include(serviceOf(report, "round"), { outcome: "start-failed", running: false })
      assert.lengthOf(exits, 1)
      assert.isTrue(exits.every((exit) => Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)))
    }))
})
