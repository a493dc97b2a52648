import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Environment, Host, PolicyError } from "../../src/index.ts"
import { raySettingsOf } from "../../src/host/raySettings.ts"
import { local } from "../support/hosts.ts"
import { jobOf } from "../support/jobs.ts"
import { Lean } from "./services/lean.ts"

const withEnv = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

describe("the settings of Ray hosts", () => {
  it.effect("have defaults, and the names by which they are set", () =>
    Effect.gen(function*() {
      const { names, ...settings } = yield* raySettingsOf()
      assert.deepStrictEqual(settings, {
        address: "http://127.0.0.1:8265",
        token: undefined,
        namespace: undefined,
        node: "node",
        python: "python",
        runtimeEnv: {},
        actor: { num_cpus: 0 }
      })
      assert.strictEqual(names.numCpus, "AUTOSTOP_RAY_NUM_CPUS")
    }).pipe(withEnv({})))

  it.effect("are read from variables, over which options win", () =>
    Effect.gen(function*() {
      const { names, ...settings } = yield* raySettingsOf({ numCpus: 2, token: Redacted.make("own") })
      assert.deepStrictEqual(settings, {
        address: "https://ray.example/cluster",
        token: "own",
        namespace: "flights",
        node: "/opt/node",
        python: "python3",
        runtimeEnv: { pip: ["numpy"] },
        actor: { num_cpus: 2, num_gpus: 0.5, memory: 1e9, resources: { disk: 1 }, label_selector: { zone: "a" } }
      })
      assert.include(names, { numCpus: "ray.numCpus", token: "ray.token", numGpus: "AUTOSTOP_RAY_NUM_GPUS" })
    }).pipe(withEnv({
      AUTOSTOP_RAY_ADDRESS: "https://ray.example/cluster",
      AUTOSTOP_RAY_TOKEN: "theirs",
      AUTOSTOP_RAY_NAMESPACE: "flights",
      AUTOSTOP_RAY_NUM_CPUS: "1",
      AUTOSTOP_RAY_NUM_GPUS: "0.5",
      AUTOSTOP_RAY_MEMORY: "1000000000",
      AUTOSTOP_RAY_RESOURCES: "{\"disk\":1}",
      AUTOSTOP_RAY_LABELS: "{\"zone\":\"a\"}",
      AUTOSTOP_RAY_RUNTIME_ENV: "{\"pip\":[\"numpy\"]}",
      AUTOSTOP_RAY_NODE: "/opt/node",
      AUTOSTOP_RAY_PYTHON: "python3"
    })))

  const wrong: ReadonlyArray<[field: string, variable: string, value: unknown, text: string, expected: string]> = [
    ["address", "ADDRESS", "ray://head:10001", "ray://head:10001", "the URL of the cluster's API"],
    ["token", "TOKEN", "two words", "two words", "a token without spaces"],
    ["namespace", "NAMESPACE", " ", " ", "a non-empty string"],
    ["numCpus", "NUM_CPUS", -1, "-1", "a number that is not negative"],
    ["numGpus", "NUM_GPUS", "one", "one", "a number that is not negative"],
    ["memory", "MEMORY", 1.5, "1.5", "a whole number of bytes"],
    ["resources", "RESOURCES", { disk: "much" }, "{\"disk\":\"much\"}", "an amount for each resource"],
    ["labels", "LABELS", { zone: 1 }, "{\"zone\":1}", "a string for each label"],
    ["runtimeEnv", "RUNTIME_ENV", [], "[]", "an object"],
    ["node", "NODE", "\t", "\t", "a non-empty string"]
  ]

  it.effect.each(wrong)(
    "are refused by name, as an option and as a variable: %s",
    ([field, name, value, text, expected]) =>
      Effect.gen(function*() {
        const variable = `AUTOSTOP_RAY_${name}`
        const error = yield* Effect.flip(Environment.submit(jobOf(Effect.void), {})).pipe(withEnv({ [variable]: text }))
        assert.instanceOf(error, PolicyError)
        assert.include(error, { setting: variable })
        assert.include(error.message, `${variable} is `)
        assert.include(error.message, expected)
        try {
          // safe: what a program without types may write
          Host.layer(Lean, { ray: { [field]: value } as Host.RayOptions })
        } catch (error) {
          assert.isTrue(Cause.isIllegalArgumentError(error), String(error))
          assert.include(String(error), `ray.${field} of service "test/Lean" is `)
          assert.include(String(error), expected)
          return
        }
        assert.fail("it was taken")
      }).pipe(local)
  )

  it("never show a token in an error", () => {
    try {
      Host.layer(Lean, { ray: { token: "my secret" } })
    } catch (error) {
      assert.notInclude(String(error), "secret")
      return
    }
    assert.fail("it was taken")
  })

  it("are refused if there is no such setting", () => {
    // safe: what a program without types may write
    const layer = () => Host.layer(Lean, { ray: { cpus: 1 } as Host.RayOptions })
    assert.throws(layer, /ray\.cpus of service "test\/Lean" is 1; expected one of the settings address, token/)
  })
})
