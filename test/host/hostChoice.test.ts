import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Environment, Host, PolicyError } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { local, runJob } from "../support/hosts.ts"
import { jobOf, serviceOf } from "../support/jobs.ts"
import { Maths } from "./services/math.ts"

const own = "AUTOSTOP_HOST_TEST_MATHS"
const all = "AUTOSTOP_HOST"

const withEnv = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

/** The kind of host that a service has in the report, which is where it ran. */
const hostOf = (options: Host.Options) =>
  Effect.gen(function*() {
    const { exit, report } = yield* runJob(Effect.flatMap(Maths, ({ pid }) => pid()), Host.layer(Maths, options))
    assertClean(report)
    const { host, pid } = serviceOf(report, options.name ?? "test/Maths")
    assert.deepStrictEqual(exit, Exit.succeed(pid ?? process.pid))
    return host
  })

describe("the host of a service", () => {
  const cases: ReadonlyArray<[name: string, env: Record<string, string>, options: Host.Options, host: string]> = [
    ["is local by default", {}, {}, "local"],
    ["is what its option says", {}, { host: "process" }, "process"],
    ["is what its own variable says", { [own]: "thread" }, {}, "thread"],
    ["is what the variable of all services says", { [all]: "process" }, {}, "process"],
    ["is what its option says before its own variable", { [own]: "process" }, { host: "thread" }, "thread"],
    ["is what its option says before that of all", { [all]: "process" }, { host: "local" }, "local"],
    ["is what its own variable says before that of all", { [own]: "thread", [all]: "process" }, {}, "thread"],
    ["is what the variable of all says where its own is empty", { [own]: "", [all]: "thread" }, {}, "thread"],
    ["is local where both variables are empty", { [own]: "", [all]: "" }, {}, "local"],
    ["is not what the variable of another service says", { [`${own}_2`]: "process" }, {}, "local"],
    ["follows its tag, whatever its name in the report is", { [own]: "process" }, { name: "sums" }, "process"]
  ]
  it.live.each(cases)("%s", ([, env, options, host]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* hostOf(options), host)
    }).pipe(withEnv(env), local))

  it.live("follows the environment of the process", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* hostOf({}), "thread")
    }).pipe(
      local,
      Effect.ensuring(Effect.sync(() => delete process.env[own])),
      (test) => Effect.andThen(Effect.sync(() => process.env[own] = "thread"), test)
    ))

  for (const variable of [own, all]) {
    const message = `${variable} is "cloud"; expected one of local, thread, process, ray`

    it.live(`is refused with the name of the wrong variable: ${variable}`, () =>
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
