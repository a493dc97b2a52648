import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { jobOf, local, reportOf } from "../../support/jobs.ts"
import { Environment, type StopReport } from "../../../src/index.ts"

class Db extends Context.Service<Db, { readonly rows: number }>()("app/Db") {}

const release = Effect.addFinalizer(() => Effect.void)
const db = () => Layer.effect(Db, Effect.as(release, { rows: 3 }))

const open = Effect.fn("open")(function*() {
  yield* release
})
const consume = Effect.fn("consume")(function*() {
  yield* open()
})
const anonymous = Effect.fn(function*() {
  yield* release
})

/** Layers, and the names that they have. */
const named: Record<string, readonly [Layer.Layer<never, never>, ...names: ReadonlyArray<string>]> = {
  "a layer without a key or a span": [Layer.effectDiscard(release), "layer 1"],
  "a function of Effect.fn": [Layer.effectDiscard(open()), "open"],
  "the outermost of several functions": [Layer.effectDiscard(consume()), "consume"],
  "a span in its effect": [Layer.effectDiscard(Effect.withSpan(release, "connect")), "connect"],
  "a span around a function": [Layer.effectDiscard(Effect.withSpan(open(), "connect")), "connect"],
  "the effect of unwrap": [Layer.unwrap(Effect.as(consume(), Layer.effectDiscard(release))), "consume", "layer 1"],
  // it has the end of its span to release, too
  "withSpan": [Layer.withSpan(Layer.effectDiscard(release), "server"), "layer 1", "server"],
  "withSpan around a function": [Layer.withSpan(Layer.effectDiscard(open()), "server"), "layer 1", "open"],
  "withSpan around a layer that provides something": [Layer.withSpan(db(), "server"), "app/Db", "layer 1"],
  "Layer.span": [Layer.span("server"), "server"],
  "a span without a name": [Layer.effectDiscard(Effect.withSpan(release, "")), "layer 1"],
  "a key rather than a function": [Layer.effect(Db, Effect.as(consume(), { rows: 3 })), "app/Db"],
  "the key of an acquire in a span": [
    Layer.effect(Db, Effect.withSpan(Effect.as(release, { rows: 3 }), "q")),
    "app/Db"
  ],
  "the same function twice": [
    Layer.merge(Layer.effectDiscard(open()), Layer.effectDiscard(open())),
    "open",
    "open#2"
  ],
  "the same key twice": [Layer.merge(db(), db()), "app/Db", "app/Db#2"],
  "the same key three times, one above the other": [
    Layer.provide(Layer.provide(db(), db()), db()),
    "app/Db",
    "app/Db#2",
    "app/Db#3"
  ]
}

const namesIn = ({ services }: StopReport) => services.map(({ name }) => name)

describe("the name of a plain layer", () => {
  for (const [what, [layer, ...names]] of Object.entries(named)) {
    it.effect(`is unique and the same in each run: ${what}`, () =>
      Effect.gen(function*() {
        for (let n = 0; n < 2; n++) {
          const { report } = yield* reportOf(Effect.void, layer)
          assert.deepStrictEqual(namesIn(report).toSorted(), names.toSorted())
        }
      }))
  }

  it.effect("is the place where a function without a name was written", () =>
    Effect.gen(function*() {
      const { report } = yield* reportOf(Effect.void, Layer.effectDiscard(anonymous()))
      assert.match(namesIn(report).join(), /^layer \(layerName\.test\.ts:\d+\)$/)
    }))

  it.effect("is not that of a span around all layers, which tells none from the other", () =>
    Effect.gen(function*() {
      const layers = Layer.merge(Layer.effectDiscard(release), Layer.effectDiscard(open()))
      const provided = Effect.withSpan(Effect.provide(Effect.void, layers), "the run")
      const run = yield* Environment.submit(jobOf(provided, layers), {})
      const { report } = yield* run.result
      assert.deepStrictEqual(namesIn(report).toSorted(), ["layer 1", "open"])
    }).pipe(Effect.withSpan("the program"), local))
})

/** Layers around which there is no other, and that Effect builds out of sight. */
const outermost: Record<string, (finalizer: Effect.Effect<void>) => Layer.Layer<Db, never>> = {
  "Layer.tap": (finalizer) => Layer.tap(db(), () => Effect.addFinalizer(() => finalizer)),
  "Layer.fresh": (finalizer) =>
    Layer.fresh(Layer.effect(Db, Effect.as(Effect.addFinalizer(() => finalizer), { rows: 3 }))),
  "Layer.fromBuild": (finalizer) =>
    Layer.fromBuild((_, scope) => Effect.as(Scope.addFinalizer(scope, finalizer), Context.make(Db, { rows: 3 })))
}

describe("the outermost layer", () => {
  for (const [kind, layerOf] of Object.entries(outermost)) {
    const name = kind === "Layer.tap" ? "layer 1" : "app/Db"

    it.effect(`is a service if no layer within it has what is to be released: ${kind}`, () =>
      Effect.gen(function*() {
        const { report } = yield* reportOf(Effect.void, layerOf(Effect.void))
        assert.isTrue(report.clean)
        assert.include(namesIn(report), name)
      }))

    it.effect(`is named if that hangs: ${kind}`, () =>
      Effect.gen(function*() {
        const { report } = yield* reportOf(Effect.void, layerOf(Effect.never))
        assert.deepStrictEqual(report.leftovers, [])
        assert.strictEqual(report.services.find((line) => line.name === name)?.outcome, "abandoned")
        const others = report.services.filter((line) => line.name !== name)
        assert.isTrue(others.every(({ outcome }) => outcome === "released"))
      }))
  }
})
