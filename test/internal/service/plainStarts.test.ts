// What the report says of a plain layer that does not start: it has no limit of its own, so that a stop is what ends its start.
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { autostop, Environment, type StopReport } from "../../../src/index.ts"
import { jobOf, local, stopWithin } from "../../support/jobs.ts"

class Db extends Context.Service<Db, { readonly rows: number }>()("app/Db") {}
class Cache extends Context.Service<Cache, { readonly size: number }>()("app/Cache") {}

const cache = Layer.effect(Cache, Effect.acquireRelease(Effect.succeed({ size: 1 }), () => Effect.void))
const rows = { rows: 3 }

/** The ways in which an acquire does not end by itself, and how its report calls that. */
const acquires: Record<string, {
  readonly acquire: Effect.Effect<{ readonly rows: number }, string>
  readonly error: string
  readonly hangs?: boolean
}> = {
  "never ends": { acquire: Effect.never, error: "interrupted" },
  "is slow": { acquire: Effect.as(Effect.sleep("1 hour"), rows), error: "interrupted" },
  "fails as it is interrupted": {
    acquire: Effect.onInterrupt(Effect.never, () => Effect.die("no way out")),
    error: "no way out"
  },
  "cannot be interrupted": {
    acquire: Effect.uninterruptible(Effect.never),
    error: "its start was given up",
    hangs: true
  },
  "takes no notice of its interrupt for longer than the stop": {
    acquire: Effect.as(Effect.uninterruptible(Effect.sleep("1 hour")), rows),
    error: "its start was given up",
    hangs: true
  }
}

type Acquire = Effect.Effect<{ readonly rows: number }, string>
const layerOf = (acquire: Acquire) => Layer.provide(Layer.effect(Db, Effect.andThen(Cache, acquire)), cache)

/** The places of a graph in which a layer may be. */
const places: Record<string, (acquire: Acquire) => Layer.Layer<never, unknown>> = {
  "alone": (acquire) => layerOf(acquire),
  "beneath another": (acquire) => Layer.provide(Layer.effectDiscard(Db), layerOf(acquire)),
  "beside others": (acquire) => Layer.mergeAll(Layer.effectDiscard(Effect.void), layerOf(acquire), cache),
  "in the effect of unwrap": (acquire) =>
    Layer.provide(Layer.unwrap(Effect.andThen(Cache, Effect.as(acquire, Layer.empty))), cache),
  "in the layer of unwrap": (acquire) => Layer.unwrap(Effect.sync(() => layerOf(acquire))),
  "in suspend": (acquire) => Layer.suspend(() => layerOf(acquire)),
  "once it has something to release": (acquire) => {
    const acquires = Effect.andThen(Effect.addFinalizer(() => Effect.void), acquire)
    return Layer.provide(Layer.effect(Db, Effect.andThen(Cache, acquires)), cache)
  }
}

const lineOf = ({ services }: StopReport) => {
  const others = services.filter(({ name }) => name !== "app/Cache")
  assert.lengthOf(others, 1)
  return others[0] ?? assert.fail()
}

describe("a plain layer that does not start", () => {
  for (const [where, place] of Object.entries(places)) {
    for (const [how, { acquire, error, hangs = false }] of Object.entries(acquires)) {
      it.effect(`${where}, and ${how}, has a line when the job is stopped`, () =>
        Effect.gen(function*() {
          const named = Effect.withSpan(acquire, "connect")
          const run = yield* Environment.submit(jobOf(Effect.never, place(named)), {})
          const { report } = yield* stopWithin(run, "10 minutes")
          const line = lineOf(report)
          assert.deepInclude(line, {
            name: "connect",
            managed: false,
            initialized: false,
            outcome: "start-failed",
            error
          })
          assert.deepStrictEqual(line.dependsOn, ["app/Cache"])
          assert.strictEqual(line.running, hangs)
          assert.strictEqual(report.clean, !hangs)
          const left = hangs ? [{ kind: "acquire", detail: "connect" }] : []
          assert.deepStrictEqual(report.leftovers.filter(({ kind }) => kind === "acquire"), left)
          assert.strictEqual(report.services.find(({ name }) => name === "app/Cache")?.outcome, "released")
        }).pipe(local))
    }
  }

  it.effect("is named each, where several hang, and those that wait for them are not", () =>
    Effect.gen(function*() {
      const hanging = ["a", "b", "c"].map((name) => Layer.effectDiscard(Effect.withSpan(Effect.never, name)))
      const above = Layer.provide(
        Layer.effectDiscard(Effect.addFinalizer(() => Effect.void)),
        Layer.mergeAll(cache, ...hanging)
      )
      const { report } = yield* stopWithin(yield* Environment.submit(jobOf(Effect.never, above), {}), "1 minute")
      assert.deepStrictEqual(report.services.map(({ name }) => name).toSorted(), ["a", "app/Cache", "b", "c"])
    }).pipe(local))

  it.effect("is named where run provides it", () =>
    Effect.gen(function*() {
      const layer = layerOf(Effect.withSpan(Effect.uninterruptible(Effect.never), "connect"))
      const run = Effect.withSpan(Effect.provide(Effect.asVoid(Db), layer), "around all of it")
      const { report } = yield* stopWithin(yield* Environment.submit(jobOf(run), {}), "1 minute")
      assert.deepInclude(lineOf(report), { name: "connect", outcome: "start-failed", running: true })
    }).pipe(local))

  for (const [kind, failure] of [["fails", Effect.fail("no licence")], ["dies", Effect.die("no licence")]] as const) {
    it.effect(`and ${kind}, fails its job by its own error, with the others released`, () =>
      Effect.gen(function*() {
        const run = yield* Environment.submit(jobOf(Effect.never, layerOf(failure)), {})
        const { exit, report } = yield* run.result
        assert.include(String(exit), "no licence")
        assert.deepInclude(report, { trigger: "failed", reason: "no licence", clean: true })
        assert.deepStrictEqual(report.services.map(({ name, outcome }) => `${name} ${outcome}`), ["app/Cache released"])
      }).pipe(local))
  }

  it("is named by the runtime that is disposed meanwhile", async () => {
    const begun = Promise.withResolvers<void>()
    const connect = Effect.andThen(Effect.sync(begun.resolve), Effect.never)
    const hanging = layerOf(Effect.withSpan(Effect.uninterruptible(connect), "connect"))
    const runtime = autostop.managedRuntime(hanging, { stopPolicy: { cancelTimeout: "50ms", deadline: "2s" } })
    runtime.runCallback(Effect.void)
    await begun.promise
    const report = await runtime.dispose()
    assert.deepInclude(lineOf(report), { name: "connect", outcome: "start-failed", running: true })
  })
})
