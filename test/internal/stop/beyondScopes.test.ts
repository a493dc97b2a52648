import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Job, Pipeline, Service } from "../../../src/index.ts"
import { assertClean, Journal, probe } from "../../../src/testing.ts"
import { dies, local, never, reportOf, serviceOf, settle, stopWithin, submit } from "../../support/jobs.ts"

class Db extends Context.Service<Db, { readonly read: Effect.Effect<number> }>()("test/Db") {}

// Each of these is something that Effect leaves to its user when work ends.
describe("what a stop must do beyond closing scopes", () => {
  it.effect("a release that never ends is bounded by its limit", () =>
    Effect.gen(function*() {
      const { report } = yield* reportOf(Effect.void, probe(new Journal(), "hangs", { release: never }))
      assert.strictEqual(serviceOf(report, "hangs").outcome, "abandoned")
      assert.strictEqual(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 5_000)
    }))

  it.effect("a limit holds in an uninterruptible finalizer, where a timeout does not", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Scope.addFinalizer(scope, Effect.never)
      const plain = yield* Effect.forkDetach(Effect.timeout(Scope.close(scope, Exit.void), "1 second"))
      yield* TestClock.adjust("10 minutes")
      assert.isUndefined(plain.pollUnsafe(), "the timeout of Effect bounds it now: this library can do less")

      const uninterruptible = Effect.uninterruptible(Effect.sleep("1 hour"))
      const layer = Layer.effectDiscard(Effect.addFinalizer(() => uninterruptible))
      const { report } = yield* reportOf(Effect.void, Service.manage("slow", layer, { stop: { timeout: "1s" } }))
      assert.strictEqual(serviceOf(report, "slow").outcome, "abandoned")
      assert.strictEqual(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 1_000)
    }))

  it.effect("a release that dies is reported with its cause, and the others are released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db")
      const { exit, report } = yield* reportOf(Effect.succeed(1), probe(journal, "api", { release: dies, needs: [db] }))
      assert.deepStrictEqual(exit, Exit.succeed(1))
      assert.isFalse(report.clean)
      assert.include(serviceOf(report, "api"), {
        outcome: "release-failed",
        error: "api dies",
        cleanupCompleted: false
      })
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }))

  it.effect("a finalizer of a plain layer that dies is reported with its cause, not silent", () =>
    Effect.gen(function*() {
      const layer = Layer.effectDiscard(Effect.addFinalizer(() => Effect.die(new Error("the pool broke"))))
      const { report } = yield* reportOf(Effect.void, layer)
      assert.isFalse(report.clean)
      assert.include(serviceOf(report, "layer 1"), {
        managed: false,
        outcome: "release-failed",
        error: "the pool broke"
      })
    }))

  it.effect("a fiber of a service that fails makes the job fail, with its cause", () =>
    Effect.gen(function*() {
      const listener = Effect.andThen(Effect.sleep("3 seconds"), Effect.fail("connection lost"))
      const layer = Layer.effectDiscard(Effect.forkScoped(listener))
      const { exit, report } = yield* reportOf(Effect.never, Service.manage("listener", layer))
      assert.strictEqual(report.trigger, "failed")
      assert.strictEqual(report.outcome, "failed")
      assert.strictEqual(report.reason, "service \"listener\" failed: connection lost")
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.instanceOf(error, Job.ServiceError)
      assert.strictEqual(serviceOf(report, "listener").outcome, "released")
      assert.strictEqual(serviceOf(report, "listener").error, "connection lost")
    }))

  for (
    const [what, acquire] of [
      [
        "before its acquire has ended",
        (dies: Effect.Effect<never>) => Effect.andThen(Effect.forkScoped(dies), Effect.sleep("5 seconds"))
      ],
      [
        "and that another of its fibers forked",
        (dies: Effect.Effect<never>) =>
          Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), Effect.forkScoped(dies)))
      ],
      [
        "and that another of its fibers forked into a scope within the service's",
        (dies: Effect.Effect<never>) =>
          Effect.forkScoped(Effect.gen(function*() {
            yield* Effect.sleep("1 second")
            const scope = yield* Scope.fork(yield* Scope.fork(yield* Effect.scope))
            yield* Effect.provideService(Effect.forkScoped(dies), Scope.Scope, scope)
          }))
      ],
      [
        "and that another of its fibers forked into its scope from within one of its own",
        (dies: Effect.Effect<never>) =>
          Effect.flatMap(Effect.scope, (scope) => {
            const request = Effect.andThen(Effect.forkIn(dies, scope), Effect.never)
            return Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), Effect.scoped(request)))
          })
      ],
      [
        "and that another of its fibers forked into a scope within the service's that is not its own",
        (dies: Effect.Effect<never>) =>
          Effect.forkScoped(Effect.gen(function*() {
            yield* Effect.sleep("1 second")
            yield* Effect.forkIn(dies, yield* Scope.fork(yield* Effect.scope))
            return yield* Effect.never
          }))
      ],
      [
        "and that a detached fiber of its own forked into a scope within the service's",
        (dies: Effect.Effect<never>) =>
          Effect.flatMap(
            Effect.flatMap(Effect.scope, (scope) => Scope.fork(scope)),
            (scope) => Effect.forkDetach(Effect.andThen(Effect.sleep("1 second"), Effect.forkIn(dies, scope)))
          )
      ],
      [
        "and that it forked into a scope within its own before its acquire ended",
        (dies: Effect.Effect<never>) =>
          Effect.gen(function*() {
            const scope = yield* Scope.fork(yield* Effect.scope)
            yield* Effect.forkIn(dies, scope)
          })
      ]
    ] as const
  ) {
    it.effect(`a fiber of a service that dies ${what} makes the job fail`, () =>
      Effect.gen(function*() {
        const dies = Effect.andThen(Effect.sleep("1 second"), Effect.die(new Error("lost")))
        const layer = Service.manage("listener", Layer.effectDiscard(acquire(dies)))
        const { report } = yield* reportOf(Effect.sleep("1 minute"), layer)
        assert.deepInclude(report, { trigger: "failed", outcome: "failed" })
        assert.strictEqual(serviceOf(report, "listener").error, "lost")
      }))
  }

  it.effect("a fiber that another one forked in a layer within a service makes the job fail when it dies", () =>
    Effect.gen(function*() {
      const dies = Effect.andThen(Effect.sleep("1 second"), Effect.die(new Error("lost")))
      const inner = Layer.effectDiscard(
        Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), Effect.forkScoped(dies)))
      )
      const layer = Service.manage("listener", Layer.provide(Layer.effectDiscard(Effect.void), inner))
      const { report } = yield* reportOf(Effect.sleep("1 minute"), layer)
      assert.strictEqual(serviceOf(report, "listener").error, "lost")
    }))

  it.effect("a fiber that a service forked into a scope that is not its own is no part of it", () =>
    Effect.gen(function*() {
      const dies = Effect.andThen(Effect.sleep("1 second"), Effect.die(new Error("lost")))
      const request = Effect.scoped(Effect.andThen(Effect.forkScoped(dies), Effect.sleep("5 seconds")))
      const layer = Layer.effectDiscard(Effect.forkScoped(Effect.andThen(Effect.sleep("1 second"), request)))
      const { report } = yield* reportOf(Effect.sleep("1 minute"), Service.manage("server", layer))
      assertClean(report)
      assert.strictEqual(report.trigger, "completed")
    }))

  it.effect("a fiber of a service that fails while the service is released is no failure", () =>
    Effect.gen(function*() {
      const fails = Effect.onInterrupt(Effect.never, () => Effect.die("late"))
      const { exit, report } = yield* reportOf(
        Effect.succeed(1),
        Service.manage("listener", Layer.effectDiscard(Effect.forkScoped(fails)))
      )
      assert.deepStrictEqual(exit, Exit.succeed(1))
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it.effect("an acquire that hangs is given up after its limit, and what had started is released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db")
      const { exit, report } = yield* reportOf(
        Effect.void,
        probe(journal, "api", { acquire: never, needs: [db], start: { timeout: "2s" } })
      )
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.include(error, { service: "api", phase: "start" })
      assert.include(serviceOf(report, "api"), {
        outcome: "start-failed",
        initialized: false,
        running: true,
        error: "service \"api\" did not start within 2000 ms"
      })
      assert.deepInclude(report.leftovers, { kind: "acquire", detail: "api" })
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }))

  it.effect("an acquire that hangs does not keep a stop from ending", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db")
      const run = yield* submit(Effect.void, probe(journal, "api", { acquire: never, needs: [db] }))
      const { report } = yield* stopWithin(run, "25 seconds")
      assert.strictEqual(report.outcome, "cancelled")
      assert.strictEqual(serviceOf(report, "api").outcome, "start-failed")
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }).pipe(local))

  it.effect("an acquire that ends after it was given up is released at once", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const late = probe(journal, "late", { acquire: { ms: 60_000, ends: "well" } as never, start: { timeout: "1s" } })
      const { report } = yield* reportOf(Effect.void, late)
      assert.strictEqual(serviceOf(report, "late").outcome, "start-failed")
      assert.deepStrictEqual(journal.entries.map(({ at, what }) => ({ at, what })), [
        { at: 0, what: "acquiring" },
        { at: 60_000, what: "acquired" },
        { at: 60_000, what: "releasing" },
        { at: 60_000, what: "released" }
      ])
    }))

  it.effect("a fiber that the run detached is interrupted with its finalizers, not dropped", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const detached = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void events.push("interrupted")))
      const { report } = yield* reportOf(Effect.andThen(Effect.forkDetach(detached), Effect.yieldNow))
      assert.deepStrictEqual(events, ["interrupted"])
      assertClean(report)
    }))

  it.effect("a detached fiber that cannot be interrupted is left over", () =>
    Effect.gen(function*() {
      const detached = Effect.forkDetach(Effect.uninterruptible(Effect.never))
      const { report } = yield* reportOf(Effect.andThen(detached, Effect.yieldNow))
      assert.isFalse(report.clean)
      assert.deepStrictEqual(report.leftovers, [{ kind: "fiber", detail: "a detached fiber does not end" }])
    }))

  it.effect("a result that is asked for while a release runs waits for its end", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const run = yield* submit(Effect.never, probe(journal, "slow", { release: { ms: 3_000, ends: "well" } }))
      yield* settle
      yield* run.stop({ mode: "cancel" })
      yield* settle
      assert.isTrue(journal.has("slow", "releasing"))
      yield* run.stop({ mode: "cancel" })
      const second = yield* Effect.forkChild(run.result)
      yield* settle
      assert.isUndefined(second.pollUnsafe(), "the second returned while the release still runs")
      yield* TestClock.adjust("3 seconds")
      const { report } = yield* Fiber.join(second)
      assert.isTrue(journal.has("slow", "released"))
      assertClean(report)
    }).pipe(local))

  it.effect("what a source has emitted is delivered, also when the stop comes while it flows", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<number>()
      const delivered: Array<number> = []
      const run = yield* submit(
        Stream.fromQueue(queue).pipe(
          Pipeline.source("queue"),
          Stream.rechunk(1),
          Stream.mapEffect((n) => Effect.as(Effect.sleep("10 millis"), n), { concurrency: 2 }),
          Stream.buffer({ capacity: 4 }),
          Stream.runForEach((n) => Effect.andThen(Effect.sleep("20 millis"), Effect.sync(() => delivered.push(n))))
        )
      )
      yield* Queue.offerAll(queue, Array.from({ length: 14 }, (_, i) => i))
      yield* settle
      yield* TestClock.adjust("70 millis")
      assert.isAbove(delivered.length, 0)
      assert.isBelow(delivered.length, 14)
      yield* run.stop()
      yield* settle
      yield* TestClock.adjust("10 seconds")
      const { report } = yield* run.result
      assert.deepStrictEqual(delivered, Array.from({ length: 14 }, (_, i) => i))
      assert.strictEqual(report.outcome, "succeeded")
      assert.deepStrictEqual(report.stages, [{ name: "queue", kind: "source", count: 14 }])
    }).pipe(local))

  it.effect("a stalled finalizer of a plain layer does not keep a service beneath it from being released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const stalled = Layer.effectDiscard(Effect.addFinalizer(() => Effect.never)).pipe(
        Layer.provide(probe(journal, "beneath"))
      )
      const { report } = yield* reportOf(Effect.void, stalled)
      assert.strictEqual(serviceOf(report, "beneath").outcome, "released")
      assert.include(serviceOf(report, "layer 1"), { managed: false, outcome: "abandoned", running: true })
      assert.isAtMost(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 25_000)
    }))

  it.effect("a run that does not end when it is interrupted is left over, and its services are released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const run = yield* submit(Effect.uninterruptible(Effect.never), probe(journal, "db"))
      const { report } = yield* stopWithin(run, "25 seconds")
      assert.strictEqual(report.outcome, "cancelled")
      assert.deepInclude(report.phases[0], { phase: "cancel", timedOut: true })
      assert.deepStrictEqual(report.leftovers.map((leftover) => leftover.kind), ["run"])
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }).pipe(local))

  it.effect("outside of a job a managed layer is a plain one", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const layer = Service.layer(
        Db,
        Effect.as(
          Effect.acquireRelease(Effect.sync(() => events.push("open")), () => Effect.sync(() => events.push("close"))),
          Db.of({ read: Effect.succeed(42) })
        )
      )
      assert.strictEqual(yield* Effect.provide(Db.use((db) => db.read), layer), 42)
      assert.deepStrictEqual(events, ["open", "close"])
    }))
})
