import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Environment, Job, LocalEnvironment, StopReport } from "../src/index.ts"
import { hostileNames, hostiles } from "./support/hostile.ts"

const job = Job.make("typed", {
  payload: { at: Schema.Struct({ place: Schema.Int }) },
  run: () => Effect.never
})

// safe: what a program without types does
const untyped = (value: unknown) => value as never

describe("a submit", () => {
  it.live("refuses any value in the place of a payload, an option or a job, with an error that has a text", () =>
    Effect.gen(function*() {
      const payload = { at: { place: 1 } }
      for (const kind of hostileNames) {
        const value = hostiles[kind].make()
        const refused = [
          Environment.submit(job, untyped(value)),
          Environment.submit(job, { at: untyped(value) }),
          ...(value === undefined ? [] : [
            Environment.submit(job, payload, { autostop: untyped(value) }),
            // without a prototype it is an object without settings
            ...(kind === "an error without a prototype" ? [] : [
              Environment.submit(job, payload, { stopPolicy: untyped(value ?? 1) })
            ]),
            // a BigInt is a duration in nanoseconds
            ...(typeof value === "bigint" ? [] : [
              Environment.submit(job, payload, { autostop: { idle: untyped(value) } }),
              Environment.submit(job, payload, { stopPolicy: { deadline: untyped(value) } })
            ]),
            Environment.submit(job, payload, { stopPolicy: { strategy: untyped(value) } }),
            ...(kind === "a long string" || kind === "a lone surrogate"
              ? []
              : [Environment.submit(job, payload, { id: untyped(value) })])
          ]),
          Environment.submit(untyped(value), payload)
        ]
        for (const [place, submit] of refused.entries()) {
          const error = yield* Effect.flip(Effect.andThen(submit, Effect.die(`${kind} ${place} is not refused`)))
          assert.include(["SubmitError", "PolicyError"], error._tag, `${kind} ${place}`)
          assert.isAbove(error.message.length, 10)
          assert.isAtMost(error.message.length, 100_000)
        }
      }
    }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
})

describe("a stop", () => {
  it.live("takes any reason: the report has a text", () =>
    Effect.gen(function*() {
      for (const kind of hostileNames) {
        const run = yield* Environment.submit(job, { at: { place: 1 } })
        yield* run.stop({ reason: untyped(hostiles[kind].make()) })
        const { report } = yield* run.result
        assert.deepStrictEqual(Schema.decodeUnknownSync(StopReport)(JSON.parse(JSON.stringify(report))), report)
      }
    }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
})
