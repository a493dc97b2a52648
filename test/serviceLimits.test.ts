import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Environment, LocalEnvironment, PolicyError, Service, StopPolicy } from "../src/index.ts"
import { ServiceError } from "../src/Job.ts"
import { variableOf } from "../src/internal/policy/serviceLimits.ts"
import { hostileNames, hostiles } from "./support/hostile.ts"
import { jobOf, reportOf } from "./support/jobs.ts"

const tagOf = (name: string) => Context.Service<string>(name)

const finalizer = (hangs: boolean) => Effect.addFinalizer(() => hangs ? Effect.never : Effect.void)

/** A layer that is a service, or a declared service with a limit of its own. Its release hangs, if it is to. */
type Part = { readonly name: string; readonly make: (hangs: boolean) => Layer.Layer<string> }

const plain = (name: string): Part => ({
  name,
  make: (hangs) => Layer.effect(tagOf(name), Effect.as(finalizer(hangs), name))
})

const managed = (name: string, timeout: `${number}s`): Part => ({
  name,
  make: (hangs) => Service.layer(tagOf(name), Effect.as(finalizer(hangs), name), { stop: { timeout } })
})

const together = (parts: ReadonlyArray<Part>, hung?: string) =>
  parts.map(({ make, name }) => make(name === hung)).reduce((a, b) => Layer.merge(a, b))

/** Returns the limit that each of the services has: how long its release is awaited, if it alone hangs. */
const limitsOf = Effect.fnUntraced(function*(parts: ReadonlyArray<Part>, stopPolicy?: StopPolicy.Settings) {
  const limits: Record<string, number> = {}
  for (const { name } of parts) {
    const { report } = yield* reportOf(Effect.void, together(parts, name), { stopPolicy })
    Object.defineProperty(limits, name, {
      value: report.services.find((line) => line.name === name)?.releaseMs,
      enumerable: true
    })
  }
  return limits
})

const withVariables = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

/** Returns why a job was refused after its layers were built. */
const refusalOf = (exit: Exit.Exit<unknown, unknown>): PolicyError => {
  const error = exit._tag === "Failure" ? Cause.squash(exit.cause) : undefined
  assert.instanceOf(error, ServiceError)
  assert.strictEqual(error.phase, "start")
  assert.instanceOf(error.cause, PolicyError)
  assert.strictEqual(error.message, error.cause.message)
  return error.cause
}

const three = [plain("app/Db"), plain("app/Cache"), managed("app/Http", "3s")]

describe("the limits of single services", () => {
  it.effect("win over the limit of the policy and over that of the service, for plain layers and declared services", () =>
    Effect.gen(function*() {
      const services = { "app/Db": { release: "2 seconds" }, "app/Http": { release: 1_000 } } as const
      const limits = yield* limitsOf(three, { services })
      assert.deepStrictEqual(limits, { "app/Db": 2_000, "app/Cache": 5_000, "app/Http": 1_000 })
    }))

  it.effect("are read from variables, whose names are those of the services in capitals", () =>
    Effect.gen(function*() {
      const limits = yield* limitsOf(three).pipe(withVariables({
        AUTOSTOP_RELEASE_TIMEOUT: "4s",
        AUTOSTOP_RELEASE_TIMEOUT_APP_DB: "2s",
        AUTOSTOP_RELEASE_TIMEOUT_APP: "1s",
        AUTOSTOP_RELEASE_TIMEOUT_APP_HTTP: "500ms"
      }))
      assert.deepStrictEqual(limits, { "app/Db": 2_000, "app/Cache": 4_000, "app/Http": 500 })
    }))

  it.effect("give way to a later source, however that writes the name", () =>
    Effect.gen(function*() {
      const variables = withVariables({
        AUTOSTOP_RELEASE_TIMEOUT_APP_DB: "2s",
        AUTOSTOP_RELEASE_TIMEOUT_APP_CACHE: "1s"
      })
      const stopPolicy = { services: { "app/Db": { release: "3 seconds" } } } as const
      assert.deepStrictEqual(yield* variables(limitsOf(three, stopPolicy)), {
        "app/Db": 3_000,
        "app/Cache": 1_000,
        "app/Http": 3_000
      })
    }))

  it.effect("hold for what the run provides, and stay under the strategy patient", () =>
    Effect.gen(function*() {
      const run = Effect.provide(Effect.void, plain("app/Db").make(true))
      const { report } = yield* reportOf(run, undefined, { stopPolicy: { strategy: "patient" } }).pipe(
        withVariables({ AUTOSTOP_RELEASE_TIMEOUT_APP_DB: "7s" })
      )
      assert.deepStrictEqual(report.services.map(({ releaseMs }) => releaseMs), [7_000])
    }))

  it.effect("may be for a service that a job has not, if they come from variables: those hold for all jobs", () =>
    Effect.gen(function*() {
      const { exit } = yield* reportOf(Effect.void, Layer.empty).pipe(
        withVariables({ AUTOSTOP_RELEASE_TIMEOUT_APP_DB: "7s" })
      )
      assert.strictEqual(exit._tag, "Success")
    }))

  it.effect("refuse a name that no service has, with the names that there are, and release what was built", () =>
    Effect.gen(function*() {
      const released: Array<string> = []
      const noting = (name: string) =>
        Layer.effect(tagOf(name), Effect.as(Effect.addFinalizer(() => Effect.sync(() => released.push(name))), name))
      for (const services of [Layer.empty, noting("app/Db"), Layer.merge(noting("app/Db"), noting("app/Http"))]) {
        released.length = 0
        let ran = false
        const { exit, report } = yield* reportOf(Effect.sync(() => ran = true), services, {
          stopPolicy: { services: { "app/Dbb": { release: "1 second" } } }
        })
        const error = refusalOf(exit)
        assert.strictEqual(error.setting, "services[\"app/Dbb\"].release")
        assert.include(error.message, error.setting)
        assert.isTrue(report.clean)
        assert.strictEqual(report.outcome, "failed")
        assert.isFalse(ran)
        assert.strictEqual(released.length, report.services.length)
        for (const { name } of report.services) assert.include(error.message, JSON.stringify(name))
      }
    }))

  it.effect("refuse a name that two services share, and take the one of a single service", () =>
    Effect.gen(function*() {
      const twice = Layer.merge(
        plain("app/Db").make(false),
        Layer.provideMerge(plain("app/Http").make(false), plain("app/Db").make(true))
      )
      const shared = yield* reportOf(Effect.void, twice, { stopPolicy: { services: { "app/Db": { release: "1s" } } } })
      const error = refusalOf(shared.exit)
      assert.include(error.message, "\"app/Db\", \"app/Db#2\"")
      const services = { "app/Db#2": { release: "1s" } } as const
      const { report } = yield* reportOf(Effect.void, twice, { stopPolicy: { services } })
      assert.deepStrictEqual(
        report.services.map(({ name, releaseMs }) => [name, releaseMs]),
        [["app/Db", 0], ["app/Db#2", 1_000], ["app/Http", 0]]
      )
    }))

  it.effect.prop(
    "belong to one service, whatever its name",
    { names: Schema.UniqueArray(Schema.NonEmptyString).check(Schema.isMinLength(1), Schema.isMaxLength(4)) },
    ({ names }) =>
      Effect.gen(function*() {
        const usable = names.filter((name) => name.trim() !== "")
        const [limited] = usable
        if (limited === undefined) return
        const parts = usable.map((name, n) => n % 2 === 0 ? managed(name, "3s") : plain(name))
        const stopPolicy = { services: { [limited]: { release: "1 second" } } } as const
        // the name of one may be the variable of another one
        if (usable.some((name) => name !== limited && variableOf(name) === limited)) {
          return void refusalOf((yield* reportOf(Effect.void, together(parts), { stopPolicy })).exit)
        }
        const expected = parts.map(({ name }, n) => [name, name === limited ? 1_000 : n % 2 === 0 ? 3_000 : 5_000])
        assert.deepStrictEqual(yield* limitsOf(parts, stopPolicy), Object.fromEntries(expected))
      })
  )

  it.effect("refuse what is no limit, with its place, before anything starts", () =>
    Effect.gen(function*() {
      const own = (value: unknown) => ({ services: { "app/Db": { release: value } } })
      const cases: ReadonlyArray<readonly [settings: unknown, place: string]> = [
        ...[-1, NaN, "soon", null, {}, true].map((value) => [own(value), "services[\"app/Db\"].release"] as const),
        [own("26 seconds"), "services[\"app/Db\"].release"],
        [{ services: { "app/Db": { start: "1s" } } }, "services[\"app/Db\"].start"],
        ...[null, 1, "1s", []].map((value) => [{ services: { "app/Db": value } }, "services[\"app/Db\"]"] as const),
        [{ services: { " ": { release: "1s" } } }, "services[\" \"]"],
        ...[null, 1, "1s", [], new Map()].map((value) => [{ services: value }, "services"] as const),
        ...hostileNames.filter((name) => name !== "undefined" && name !== "a BigInt").map((name) =>
          [{ services: { "app/Db": { release: hostiles[name].make() } } }, "services"] as const
        )
      ]
      for (const [stopPolicy, place] of cases) {
        const error = yield* Effect.flip(Effect.scoped(
          // safe: the settings are wrong on purpose
          Environment.submit(jobOf(Effect.void, together(three)), {}, { stopPolicy } as never)
        )).pipe(Effect.provide(LocalEnvironment.layer))
        assert.instanceOf(error, PolicyError, String(place))
        assert.isTrue(error.setting.startsWith(place) && error.message.startsWith(error.setting), error.message)
      }
      const variable = "AUTOSTOP_RELEASE_TIMEOUT_APP_DB"
      const error = yield* Effect.flip(Effect.flatMap(StopPolicy.fromConfig, (source) => StopPolicy.resolve([source])))
        .pipe(
          withVariables({ [variable]: "soon" })
        )
      assert.instanceOf(error, PolicyError)
      assert.strictEqual(error.setting, variable)
    }))

  it("are a part of the policy as JSON", () => {
    const policy = new StopPolicy({
      ...Effect.runSync(StopPolicy.resolve([])),
      services: { "app/Db": { release: Duration.seconds(2) }, __proto: { release: Duration.infinity } }
    })
    const json = Schema.fromJsonString(StopPolicy)
    assert.deepStrictEqual(Schema.decodeSync(json)(Schema.encodeSync(json)(policy)), policy)
  })
})
