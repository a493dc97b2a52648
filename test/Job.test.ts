// what does not compile is what this file is about
// @effect-diagnostics missingEffectContext:off missingLayerContext:off missingEffectError:off
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Environment, Job, LocalEnvironment } from "../src/index.ts"

class A extends Context.Service<A, number>()("test/A") {}
class B extends Context.Service<B, number>()("test/B") {}
const a = Layer.succeed(A, 1)
const b = Layer.succeed(B, 2)
const b2 = Layer.effect(B, Effect.map(A, (a) => a + 1))
const both = Effect.gen(function*() {
  return (yield* A) + (yield* B)
})

const Sum = Job.make("sum", { payload: { n: Schema.Int }, success: Schema.Int, error: Schema.String })

describe("a job", () => {
  it.effect("can be made of its contract and its implementation apart", () =>
    Effect.gen(function*() {
      const sum = Sum.implement({
        services: Layer.merge(a, b),
        run: ({ n }) => n < 0 ? Effect.fail("negative") : Effect.map(both, (sum) => sum + n)
      })
      assert.isTrue(Job.isContract(Sum) && !Job.isJob(Sum) && Job.isJob(sum))
      assert.strictEqual(yield* Environment.run(sum, { n: 1 }), 4)
      assert.strictEqual(yield* Effect.flip(Environment.run(sum, { n: -1 })), "negative")
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it.effect("takes services however they are composed, and none", () =>
    Effect.gen(function*() {
      const jobs = [
        Job.make("merged", { success: Schema.Int, services: Layer.merge(a, b), run: () => both }),
        Job.make("provided", { success: Schema.Int, services: Layer.provideMerge(b2, a), run: () => both }),
        Job.make("none", { success: Schema.Int, run: () => Effect.succeed(3) })
      ]
      for (const job of jobs) assert.strictEqual(yield* Environment.run(job, {}), 3)
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it.effect("gives run a Scope that closes before its services do", () =>
    Effect.gen(function*() {
      const closed: Array<string> = []
      const service = Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => closed.push("service"))))
      const job = Job.make("scoped", {
        services: service,
        run: () => Effect.addFinalizer(() => Effect.sync(() => closed.push("run")))
      })
      yield* Environment.run(job, {})
      assert.deepStrictEqual(closed, ["run", "service"])
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it.effect("without a payload is submitted and run without one, whatever Schema says that it has none", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const run = (payload: unknown) => Effect.sync(() => void seen.push(payload))
      const none = Job.make("none", { run })
      const nothing = Job.make("void", { payload: Schema.Void, run })
      const undefinedOnly = Job.make("undefined", { payload: Schema.Undefined, run })
      const maybe = Job.make("maybe", { payload: Schema.UndefinedOr(Schema.String), run })
      const optional = Job.make("optional", { payload: { name: Schema.optionalKey(Schema.String) }, run })
      const unknown = Job.make("unknown", { payload: Schema.Unknown, run })
      for (const job of [none, optional]) yield* Environment.run(job)
      yield* Environment.run(nothing)
      yield* Environment.run(undefinedOnly)
      yield* Environment.run(maybe)
      yield* Environment.run(unknown)
      yield* Environment.run(nothing, undefined, { id: "named" })
      yield* (yield* Environment.submit(nothing)).result
      yield* (yield* Environment.submit(maybe, "given")).result
      assert.deepStrictEqual(seen, [{}, {}, undefined, undefined, undefined, undefined, undefined, undefined, "given"])
    }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))

  it("does not compile where its types do not fit", () => {
    const wrong = () => [
      // @ts-expect-error: `run` needs B, and `services` lacks it
      Job.make("lacks", { services: a, run: () => both }),
      // @ts-expect-error: there are no services at all
      Job.make("lacks", { run: () => both }),
      // @ts-expect-error: the services need A themselves
      Job.make("needs", { services: b2, run: () => B }),
      // @ts-expect-error: the success is declared as another type
      Job.make("success", { success: Schema.String, run: () => Effect.succeed(1) }),
      // @ts-expect-error: the error is not declared
      Job.make("error", { run: () => Effect.fail("undeclared") }),
      // @ts-expect-error: the same for what a contract is implemented with
      Sum.implement({ services: a, run: () => both }),
      // @ts-expect-error: the payload is of another type
      Environment.submit(Sum, { n: "one" }),
      // @ts-expect-error: the payload is missing
      Environment.submit(Sum),
      // @ts-expect-error: the same for a run
      Environment.run(Job.make("text", { payload: Schema.String }))
    ]
    assert.isFunction(wrong)
  })
})
