import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Refused } from "../../../src/manager/errors.ts"
import { jobTypes } from "../../../src/manager/jobs/jobTypes.ts"

const registered = {
  jobs: [{ name: "mail", module: "file:///mail.ts" }],
  variables: { each: [], byName: {} }
}

describe("the description of a registered job", () => {
  it.effect("is asked for once, until it may have changed", () =>
    Effect.gen(function*() {
      let asked = 0
      const describe = () => Effect.sync(() => ({ title: `schema ${++asked}` }))
      const typeOf = jobTypes(registered, { describe })
      const answers = yield* Effect.all([typeOf("mail"), typeOf("mail")], { concurrency: "unbounded" })
      assert.deepStrictEqual(answers, [{ name: "mail", payload: { title: "schema 1" } }, {
        name: "mail",
        payload: { title: "schema 1" }
      }])
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(yield* typeOf("mail"), { name: "mail", payload: { title: "schema 2" } })
    }))

  it.effect("is asked for again after a failure, and has no payload if there is no schema", () =>
    Effect.gen(function*() {
      let asked = 0
      const describe = () =>
        Effect.suspend(() =>
          ++asked === 1 ? Effect.fail(new Refused({ message: "it did not load" })) : Effect.succeed(undefined)
        )
      const typeOf = jobTypes(registered, { describe })
      assert.strictEqual((yield* Effect.flip(typeOf("mail"))).message, "it did not load")
      assert.deepStrictEqual(yield* typeOf("mail"), { name: "mail" })
    }))

  it.effect("is not found for another name", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(
        jobTypes(registered, { describe: () => Effect.succeed(undefined) })("__proto__")
      )
      assert.strictEqual(failure.message, "no registered job has the name \"__proto__\"")
    }))
})
