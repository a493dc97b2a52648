import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Environment, Host, PolicyError } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { local, runJob } from "../support/hosts.ts"
import { jobOf, serviceOf } from "../support/jobs.ts"
import { Maths } from "./math.ts"

const own = "AUTOSTOP_HOST_TEST_MATHS"
const all = "AUTOSTOP_HOST"

const withEnv = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

/** Where it is said that a service lives, and where it is. */
const placeOf = (options: Host.Options) =>
  Effect.gen(function*() {
    const { exit, report } = yield* runJob(Effect.flatMap(Maths, ({ pid }) => pid()), Host.layer(Maths, options))
    assertClean(report)
    const { host, pid } = serviceOf(report, options.name ?? "test/Maths")
    assert.deepStrictEqual(exit, Exit.succeed(pid ?? process.pid))
    return host
  })

describe("where a service lives", () => {
  const cases: ReadonlyArray<[name: string, env: Record<string, string>, options: Host.Options, host: string]> = [
    ["is in process by default", {}, {}, "local"],
    ["is what its option says", {}, { host: "process" }, "process"],
    ["is what its own variable says", { [own]: "thread" }, {}, "thread"],
    ["is what the variable of all services says", { [all]: "process" }, {}, "process"],
    ["is what its option says before its own variable", { [own]: "process" }, { host: "thread" }, "thread"],
    ["is what its option says before that of all", { [all]: "process" }, { host: "local" }, "local"],
    ["is what its own variable says before that of all", { [own]: "thread", [all]: "process" }, {}, "thread"],
    ["is what the variable of all says where its own is empty", { [own]: "", [all]: "thread" }, {}, "thread"],
    ["is in process where both variables are empty", { [own]: "", [all]: "" }, {}, "local"],
    ["is not what the variable of another service says", { [`${own}_2`]: "process" }, {}, "local"],
    ["is told by its tag, whatever it is named", { [own]: "process" }, { name: "sums" }, "process"]
  ]
  it.live.each(cases)("%s", ([, env, options, host]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* placeOf(options), host)
    }).pipe(withEnv(env), local))

  it.live("is told by the environment of the process", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* placeOf({}), "thread")
    }).pipe(
      local,
      Effect.ensuring(Effect.sync(() => delete process.env[own])),
      (test) => Effect.andThen(Effect.sync(() => process.env[own] = "thread"), test)
    ))

  for (const variable of [own, all]) {
    const message = `${variable} is "cloud"; expected one of local, thread, process, ray`

    it.live(`is refused by the name of the variable that is wrong: ${variable}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(
          Environment.submit(jobOf(Effect.void, Host.layer(Maths)), {})
        )
        assert.instanceOf(error, PolicyError)
        assert.include(error, { setting: variable, expected: "one of local, thread, process, ray", message })
      }).pipe(withEnv({ [variable]: "cloud" }), local))

    it.live(`is refused outside of a job, too: ${variable}`, () =>
      Effect.gen(function*() {
        const error = yield* Maths.pipe(Effect.provide(Host.layer(Maths)), Effect.flip)
        assert.instanceOf(error, PolicyError)
        assert.strictEqual(error.message, message)
      }).pipe(withEnv({ [variable]: "cloud" })))
  }
})

describe("an option that cannot be used is refused where it is written", () => {
  const refused = (options: object, message: string) => () => {
    try {
      // safe: what a program without types may write
      Host.layer(Maths, options as Host.Options)
    } catch (error) {
      assert.instanceOf(error, PolicyError)
      return assert.include(error.message, message)
    }
    assert.fail("it was taken")
  }

  it("a host", refused({ host: "cloud" }, "the host of service \"test/Maths\" is \"cloud\"; expected one of local"))
  it("an empty host", refused({ host: "" }, "the host of service \"test/Maths\" is \"\"; expected one of local"))
  for (const replicas of [0, -1, 1.5, NaN, Infinity, "2", null]) {
    const message = "expected a whole number of at least 1"
    it(`replicas: ${JSON.stringify(replicas)} of ${typeof replicas}`, refused({ replicas }, message))
  }
  for (const heartbeat of ["soon", -1, NaN, 0]) {
    const message = "the heartbeat of service \"test/Maths\" is"
    it(`heartbeat: ${String(heartbeat)}`, refused({ heartbeat }, message))
  }
  const later = { timeout: "later" }
  it("a stop timeout", refused({ name: "sums", stop: later }, "the stop timeout of service \"sums\""))
  it("a start timeout", refused({ start: later }, "the start timeout of service \"test/Maths\""))
  it("a name without text", refused({ name: " " }, "the name of a service"))
})
