import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema } from "effect"
import { jsonFault } from "../../../src/base/jsonFault.ts"
import { Environment, Job, LocalEnvironment } from "../../../src/index.ts"
import { decodeExit, encodeExit } from "../../../src/manager/exitCodec.ts"
import { HostilePlan, makeHostile } from "../../support/hostile.ts"

/** Runs a job of these Schemas, and returns its exit as its submitter here gets it, its report and its exit as JSON. */
const ended = Effect.fnUntraced(
  function*(
    schemas: { readonly success?: Schema.Top; readonly error?: Schema.Top },
    run: Effect.Effect<unknown, unknown>
  ) {
    // safe: the values are to fit no types
    const job = Job.make("work", { ...schemas, run: () => run as Effect.Effect<never, never> })
    const { exit, report } = yield* Effect.flatMap(Environment.submit(job), ({ result }) => result)
    return { exit, report, decoded: yield* decodeExit(job, yield* encodeExit(job, exit)) }
  },
  Effect.scoped,
  Effect.provide(LocalEnvironment.layer)
)

const cycle: { self?: object } = {}
cycle.self = cycle

describe("a result that does not fit the Schema of its job", () => {
  const misfits: ReadonlyArray<readonly [what: string, Schema.Top, unknown, where: string]> = [
    ["undefined", Schema.String, undefined, "Expected string; it is undefined"],
    ["NaN", Schema.Unknown, NaN, "Expected JSON value; it is NaN"],
    [
      "NaN within",
      Schema.Unknown,
      { rows: [1, { mean: NaN }] },
      "Expected JSON value at [\"rows\"][1][\"mean\"]; it is {"
    ],
    ["NaN of a field", Schema.Struct({ a: Schema.Finite }), { a: NaN }, "Expected a finite number at [\"a\"]"],
    ["a BigInt", Schema.Unknown, { id: 5n }, "Expected JSON value at [\"id\"]; it is {\"id\":5n}"],
    ["a cycle", Schema.Struct({ a: Schema.Unknown }), { a: cycle }, "Expected JSON value at [\"a\"]"],
    ["a Map", Schema.Any, [new Map()], "Expected JSON value at [0]; it is [Map(0) {}]"],
    ["a missing field", Schema.Struct({ a: Schema.Int }), {}, "Missing key at [\"a\"]"]
  ]
  for (const [what, success, value, where] of misfits) {
    it.live(`fails the job, which says what does not fit and where: ${what}`, () =>
      Effect.gen(function*() {
        const { decoded, exit, report } = yield* ended({ success }, Effect.sync(() => value))
        const message = `the result of "work" does not fit its Schema: ${where}`
        assert.deepStrictEqual([report.outcome, report.trigger, report.clean], ["failed", "failed", true])
        assert.include(report.reason, message)
        for (const one of [exit, decoded]) {
          assert.include(Exit.isFailure(one) ? String(Cause.squash(one.cause)) : "", message)
        }
      }))
  }

  it.live("is no failure of a job that declares none", () =>
    Effect.gen(function*() {
      for (const value of [undefined, NaN, 5n, cycle]) {
        const { decoded, exit, report } = yield* ended({}, Effect.sync(() => value))
        assert.strictEqual(report.outcome, "succeeded")
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(decoded, Exit.void)
      }
    }))

  it.live("is one that takes longer to write than there is memory for its text", () =>
    Effect.gen(function*() {
      const half = "x".repeat(2 ** 28)
      const { report } = yield* ended({ success: Schema.Unknown }, Effect.sync(() => [half, half, half]))
      assert.include(report.reason, "it cannot be written as JSON, because it is too large")
    }))
})

describe("an error that does not fit the Schema of its job", () => {
  const misfits: ReadonlyArray<readonly [what: string, Schema.Top | undefined, unknown, where: string]> = [
    ["an undeclared one", undefined, "boom", "Expected never"],
    ["a number for a text", Schema.String, 5, "5"],
    ["an Error for JSON", Schema.Unknown, new Error("boom"), "Expected JSON value"],
    ["NaN of a field", Schema.Struct({ a: Schema.Finite }), { a: NaN }, "[\"a\"]"]
  ]
  for (const [what, error, value, where] of misfits) {
    it.live(`is a defect that says what does not fit and where: ${what}`, () =>
      Effect.gen(function*() {
        const { decoded, exit, report } = yield* ended(error === undefined ? {} : { error }, Effect.fail(value))
        assert.deepStrictEqual([report.outcome, report.trigger], ["failed", "failed"])
        assert.include(report.reason, "the error of \"work\" does not fit its Schema: ")
        assert.include(report.reason, where)
        assert.isTrue(Exit.isFailure(exit) && Exit.isFailure(decoded))
        // what was thrown is not lost here
        const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.strictEqual(defect instanceof Error ? defect.cause : undefined, value)
      }))
  }

  it.live("is none if it fits", () =>
    Effect.gen(function*() {
      const { decoded, exit } = yield* ended(
        { error: Schema.Struct({ at: Schema.Date }) },
        Effect.fail({ at: new Date(0) })
      )
      assert.deepStrictEqual(exit, Exit.fail({ at: new Date(0) }))
      assert.deepStrictEqual(decoded, exit)
    }))
})

describe("whatever a job returns", () => {
  it.live.prop(
    "it has succeeded if, and only if, others can read its result",
    { plan: HostilePlan },
    ({ plan }) =>
      Effect.gen(function*() {
        const { decoded, exit, report } = yield* ended(
          { success: Schema.Unknown },
          Effect.sync(() => makeHostile(plan))
        )
        assert.strictEqual(report.outcome, Exit.isSuccess(decoded) ? "succeeded" : "failed")
        assert.strictEqual(exit._tag, decoded._tag)
      }),
    { arbitrary: { runs: 50 } }
  )
})

describe("jsonFault", () => {
  it("finds the first part that is no JSON", () => {
    const cases: ReadonlyArray<readonly [unknown, string | undefined]> = [
      [{ a: [1, "x", null, true] }, undefined],
      [1n, ""],
      [{ "a b": [0, Infinity, NaN] }, "[\"a b\"][1]"],
      [[[new Date()]], "[0][0]"],
      [cycle, undefined]
    ]
    for (const [value, expected] of cases) assert.strictEqual(jsonFault(value), expected)
  })
})
