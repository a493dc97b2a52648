import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { errorText } from "../../../src/base/errorText.ts"
import { decodeExit, encodeExit } from "../../../src/manager/exitCodec.ts"
import { Job } from "../../../src/index.ts"
import { Schema } from "effect"
import type { Act } from "../../cli/hostileValues.cases.ts"
import { type HostileName, hostileNames, HostilePlan, hostiles, makeHostile } from "../../support/hostile.ts"
import { fixture } from "../../support/cli.ts"
import { decoded, Ran, stored } from "../../support/jobProcess.ts"
import hostile from "../../cli/jobs/hostile.ts"
import { pathToFileURL } from "node:url"

const anything = Job.make("anything", { success: Schema.Unknown, error: Schema.Unknown })
const strict = Job.make("strict", { success: Schema.Struct({ at: Schema.Int }), error: Schema.String })

const text = (kind: HostileName): RegExp => new RegExp(hostiles[kind].says.source.replaceAll(/[\^$]/g, ""))

describe("the exit of a job", () => {
  for (const kind of hostileNames) {
    it.effect(`is encoded, or becomes a defect that says why: ${kind}`, () =>
      Effect.gen(function*() {
        for (const job of [anything, strict]) {
          const value = hostiles[kind].make()
          for (const exit of [Exit.succeed(value), Exit.fail(value), Exit.die(value)]) {
            const json = JSON.stringify(yield* encodeExit(job, exit))
            const back = yield* decodeExit(job, JSON.parse(json))
            if (exit._tag === "Failure" && job === strict) {
              assert.isTrue(Exit.isFailure(back))
              if (Exit.isFailure(back)) assert.match(errorText(back.cause), text(kind))
            }
          }
        }
      }))
  }

  it.effect.prop(
    "is encoded, whatever the value is within",
    { plan: HostilePlan },
    ({ plan }) =>
      Effect.gen(function*() {
        const value = makeHostile(plan)
        for (const exit of [Exit.succeed(value), Exit.fail(value), Exit.die(value)]) {
          yield* decodeExit(anything, JSON.parse(JSON.stringify(yield* encodeExit(anything, exit))))
        }
      }),
    { arbitrary: { runs: 200 } }
  )
})

describe("a service error", () => {
  it.effect("keeps its fields, and says what its cause was, whatever that is", () =>
    Effect.gen(function*() {
      for (const kind of hostileNames) {
        const error = new Job.ServiceError({
          service: "a",
          phase: "start",
          message: "it broke",
          cause: hostiles[kind].make()
        })
        const json = JSON.stringify(yield* encodeExit(strict, Exit.fail(error)))
        const back = yield* decodeExit(strict, JSON.parse(json))
        const decodedError = Exit.isFailure(back) ? Cause.squash(back.cause) : undefined
        assert.instanceOf(decodedError, Job.ServiceError, kind)
        const { cause, ...fields } = decodedError
        assert.deepInclude(fields, { service: "a", phase: "start" })
        assert.strictEqual(decodedError.message, "it broke")
        assert.match(errorText(Cause.die(cause)), text(kind))
      }
    }))
})

describe("a job process", () => {
  const cases: ReadonlyArray<readonly [Act, HostileName]> = [
    ["throw", "an error of a class that throws"],
    ["die", "a proxy whose every trap throws"],
    ["return", "a deep value"],
    ["fail", "an error whose toJSON throws"]
  ]
  for (const [act, kind] of cases) {
    it(`stops well and reports after it did this: ${act} ${kind}`, async () => {
      const ran = new Ran({ job: "hostile", payload: { act, kind } }, {}, pathToFileURL(fixture("hostile.ts")).href)
      const result = await ran.ended()
      assert.isTrue(result.report.clean)
      assert.strictEqual(result.report.outcome, "failed")
      assert.deepStrictEqual(result.report.services.map(({ outcome }) => outcome), ["released", "released"])
      assert.deepStrictEqual(JSON.parse(JSON.stringify(stored(ran.resultFile))), JSON.parse(JSON.stringify(result)))
      const exit = decoded(result, hostile)
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit) && act !== "return") assert.match(String(Cause.squash(exit.cause)), text(kind))
    })
  }
})
