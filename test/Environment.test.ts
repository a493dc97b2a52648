import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Environment, Job, JobEvent, LocalEnvironment, Pipeline, Service } from "../src/index.ts"
import { assertClean, Journal, probe } from "../src/testing.ts"
import { dies, jobOf, local, reportOf, serviceOf, settle, slow, submit, timeOf } from "./support/jobs.ts"

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
      assert.strictEqual(timeOf(journal, "slow", "released"), 2_000)
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
      assert.deepInclude(taken, { _tag: "SubmitError", reason: "id" })
      assert.strictEqual(
        taken.message,
        "a job with the id \"one\" is running; choose another id, or wait until that job has stopped"
      )
      const contract = yield* Effect.flip(
        Environment.submit(Job.make("alone", { payload: { n: Schema.Int } }), { n: 1 })
      )
      assert.include(contract.message, "\"alone\" is only a contract")
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

describe("the submitter of a job", () => {
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

  it.effect("that closes its Scope waits for the services", () =>
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

  it.effect("whose Scope has closed before gets a job that is stopped at once", () =>
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

  it.live("that is a job itself does not report what that one leaves behind", () =>
    Effect.gen(function*() {
      const hanging = Layer.effectDiscard(Effect.acquireRelease(Effect.void, () => Effect.never))
      const hangs = Service.manage("hangs", hanging, { stop: { timeout: "50 millis" } })
      const inner = Effect.map(
        Effect.flatMap(submit(Effect.void, hangs), ({ result }) => result),
        ({ report }) => serviceOf(report, "hangs").outcome
      )
      const { exit, report } = yield* (yield* submit(local(inner))).result
      assert.deepStrictEqual(exit, Exit.succeed("abandoned"))
      assertClean(report)
    }).pipe(local))

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
  it.effect("with false keeps the services up until a stop, and the run's own end is kept", () =>
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

  it.effect("with idle stops once no source has emitted for that long, and not before", () =>
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

  it.effect("with idle does not stop a job whose source has ended while its elements are still at work", () =>
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

  it.effect("with after limits the time of the run", () =>
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
