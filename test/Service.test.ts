import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { JobEvent, Service } from "../src/index.ts"
import { assertClean, Journal, probe } from "../src/testing.ts"
import { dies, local, reportOf, serviceOf, settle, stopWithin, submit } from "./support/jobs.ts"

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

  it.effect("asked for by two fails for both, whatever its error is", () =>
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
      assert.strictEqual(serviceOf(report, "test/Bad").error, "{\"size\":1n}")
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
