import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Environment, LocalEnvironment, Service } from "../../../src/index.ts"
import { jobOf } from "../../support/jobs.ts"

class Big extends Context.Service<Big, { readonly bytes: Uint8Array }>()("test/Big") {}

setFlagsFromString("--expose-gc")
const gc: () => void = runInNewContext("gc")

const collect = Effect.promise(async () => {
  for (let n = 0; n < 5; n++) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
})

const inScope = <A, E>(use: (scope: Scope.Closeable) => Effect.Effect<A, E>) =>
  Effect.suspend(() => {
    const scope = Scope.makeUnsafe()
    return Effect.andThen(use(scope), Scope.close(scope, Exit.void))
  })

/** The ways in which a run has a layer for a while. */
const ways: Record<string, (layer: Layer.Layer<Big>, memoMap: Layer.MemoMap) => Effect.Effect<unknown>> = {
  "provides": (layer) => Effect.provide(Effect.asVoid(Big), layer),
  "provides within another": (layer) => Effect.provide(Effect.asVoid(Big), Service.manage("outer", layer)),
  "builds by the memo map of the job": (layer, memoMap) =>
    inScope((scope) => Layer.buildWithMemoMap(layer, memoMap, scope)),
  "builds twice at once": (layer, memoMap) =>
    inScope((scope) => {
      const build = Layer.buildWithMemoMap(layer, memoMap, scope)
      return Effect.all([build, build], { concurrency: 2 })
    }),
  "builds in a scope that closes meanwhile": (layer, memoMap) =>
    inScope((scope) => Effect.forkChild(Effect.exit(Layer.buildWithMemoMap(layer, memoMap, scope))))
}

const kinds: Record<string, (acquire: Effect.Effect<{ readonly bytes: Uint8Array }>) => Layer.Layer<Big>> = {
  "a service": (acquire) => Service.layer(Big, acquire),
  "a service whose release fails": (acquire) =>
    Service.layer(Big, Effect.tap(acquire, Effect.addFinalizer(() => Effect.die("fails")))),
  "a managed layer": (acquire) => Service.manage("big", Layer.effect(Big, acquire)),
  "a plain layer": (acquire) => Layer.effect(Big, acquire)
}

describe("memory does not hold", () => {
  for (
    const [what, place] of [["a service", (layer: Layer.Layer<never, never, Big>) => layer], [
      "a fresh one",
      Layer.fresh
    ]] as const
  ) {
    it.live(`a released service that ${what} has built by its memo map while it ran, of a layer anew or of one that is there`, () =>
      Effect.gen(function*() {
        const made: Array<WeakRef<object>> = []
        const done = Deferred.makeUnsafe<void>()
        let [held, grown] = [Infinity, Infinity]
        const there = Service.layer(Big, Effect.succeed({ bytes: new Uint8Array(1) }))
        const server = Service.manage(
          "server",
          Layer.effectDiscard(Effect.gen(function*() {
            const memoMap = Option.getOrThrow(yield* Effect.serviceOption(Layer.CurrentMemoMap))
            const build = (layer: Layer.Layer<Big>) => inScope((scope) => Layer.buildWithMemoMap(layer, memoMap, scope))
            const anew = Effect.suspend(() => {
              const layer = Layer.effect(Big, Effect.succeed({ bytes: new Uint8Array(1) }))
              made.push(new WeakRef(layer))
              return build(layer)
            })
            yield* Effect.forkScoped(Effect.gen(function*() {
              yield* Effect.yieldNow
              for (let n = 0; n < 200; n++) yield* anew
              yield* collect
              held = made.filter((ref) => ref.deref() !== undefined).length
              for (let n = 0; n < 1_000; n++) yield* build(there)
              yield* collect
              const before = process.memoryUsage().heapUsed
              for (let n = 0; n < 20_000; n++) yield* build(there)
              yield* collect
              grown = process.memoryUsage().heapUsed - before
              yield* Deferred.succeed(done, undefined)
            }))
          }))
        )
        const job = yield* Environment.submit(jobOf(Deferred.await(done), Layer.provideMerge(place(server), there)), {})
        yield* job.result
        assert.lengthOf(made, 200)
        // so many need not be looked through
        assert.isAtMost(held, 40)
        assert.isBelow(grown, 1_000_000)
      }).pipe(Effect.provide(LocalEnvironment.layer)))
  }

  for (const [what, kind] of Object.entries(kinds)) {
    for (const [how, way] of Object.entries(ways)) {
      it.live(`${what} that was released and that run ${how}`, () =>
        Effect.gen(function*() {
          const made: Array<WeakRef<object>> = []
          let held = Infinity
          const layer = kind(Effect.suspend(() => {
            const bytes = new Uint8Array(1_000)
            made.push(new WeakRef(bytes))
            return Effect.as(Effect.yieldNow, { bytes })
          }))
          const run = Effect.gen(function*() {
            const memoMap = Option.getOrThrow(yield* Effect.serviceOption(Layer.CurrentMemoMap))
            for (let n = 0; n < 20; n++) yield* way(layer, memoMap)
            yield* collect
            held = made.filter((ref) => ref.deref() !== undefined).length
          })
          const job = yield* Environment.submit(jobOf(run), {})
          yield* job.result
          assert.isAtLeast(made.length, 20)
          // a fiber may hold what it saw last
          assert.isAtMost(held, 3)
        }).pipe(Effect.provide(LocalEnvironment.layer)))
    }
  }
})
