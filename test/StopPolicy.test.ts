import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Duration, Effect, type Exit, Schema } from "effect"
import {
  Environment,
  Job,
  LocalEnvironment,
  PolicyError,
  StopPolicy,
  Strategy,
  type SubmitOptions
} from "../src/index.ts"
import { fieldNames, flag, variable } from "../src/internal/policy/policyFields.ts"
import * as Policy from "../src/StopPolicy.ts"
import { Journal, probe } from "../src/testing.ts"

const limits = [
  "delay",
  "drainTimeout",
  "cancelTimeout",
  "releaseTimeout",
  "killTimeout",
  "deadline",
  "startTimeout"
] as const

/** What the deadline must have room for. */
const withinDeadline = ["delay", "drainTimeout", "cancelTimeout", "releaseTimeout", "killTimeout"] as const

const variables = {
  strategy: "AUTOSTOP_STRATEGY",
  delay: "AUTOSTOP_DELAY",
  drain: "AUTOSTOP_DRAIN",
  drainTimeout: "AUTOSTOP_DRAIN_TIMEOUT",
  cancelTimeout: "AUTOSTOP_CANCEL_TIMEOUT",
  releaseTimeout: "AUTOSTOP_RELEASE_TIMEOUT",
  releaseConcurrency: "AUTOSTOP_RELEASE_CONCURRENCY",
  onReleaseFailure: "AUTOSTOP_ON_RELEASE_FAILURE",
  killTimeout: "AUTOSTOP_KILL_TIMEOUT",
  deadline: "AUTOSTOP_DEADLINE",
  startTimeout: "AUTOSTOP_START_TIMEOUT"
} as const

const defaults = {
  strategy: "graceful",
  delay: 0,
  drain: "work",
  drainTimeout: 10_000,
  cancelTimeout: 5_000,
  releaseTimeout: 5_000,
  releaseConcurrency: "unbounded",
  onReleaseFailure: "continue",
  killTimeout: 2_000,
  deadline: 25_000,
  startTimeout: 30_000
} as const

/** A policy with its limits in milliseconds. */
const plain = (policy: StopPolicy): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(policy).map((
      [field, value]
    ) => [field, Duration.isDuration(value) ? Duration.toMillis(value) : value])
  )

/** Settings of any type, as a caller without types would give them. */
const untyped = (settings: unknown) => Policy.fromOptions(settings as Policy.Settings) // what is tested is that it is checked

const resolved = (...settings: ReadonlyArray<unknown>) => Effect.map(Policy.resolve(settings.map(untyped)), plain)

const withEnv = (env: Readonly<Record<string, string>>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const refusal = <A>(exit: Exit.Exit<A, unknown>): PolicyError => {
  const [reason] = exit._tag === "Failure" ? exit.cause.reasons : []
  if (reason?._tag === "Fail" && reason.error instanceof PolicyError) return reason.error
  return assert.fail(`expected a PolicyError, got ${JSON.stringify(exit)}`)
}

/** Submits a job, and says whether anything of it was started. */
const submit = (options: SubmitOptions, jobs: { readonly stopPolicy?: Policy.Settings | undefined } = {}) =>
  Effect.gen(function*() {
    const journal = new Journal()
    let ran = false
    const job = Job.make("settings", {
      ...jobs,
      services: probe(journal, "db"),
      run: () => Effect.sync(() => ran = true)
    })
    const exit = yield* Effect.exit(Effect.flatMap(Environment.submit(job, {}, options), (run) => run.result))
    return { exit, started: ran || journal.entries.length > 0 }
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const badDurations: ReadonlyArray<unknown> = [
  "",
  " ",
  "soon",
  "NaN",
  "5",
  "-5s",
  "-5 seconds",
  "5 parsecs",
  "1e3s",
  "5s 3s",
  "-Infinity",
  -1,
  Number.NaN,
  -Infinity,
  -5n,
  null,
  true,
  false,
  [],
  [1],
  [-1, 0],
  { seconds: -5 },
  () => 5,
  Symbol("5s"),
  Duration.millis(-5),
  Duration.negativeInfinity
]

// an object is a duration only where it says so: each of these was 0 s, without a word
const notDurations: ReadonlyArray<readonly [string, unknown]> = [
  ["an empty object", {}],
  ["an object with another unit", { sec: 5 }],
  ["an object with one unit too many", { seconds: 5, millis: 3 }],
  ["an object of NaN", { seconds: Number.NaN }],
  ["an object of text", { seconds: "5" }],
  ["a pair with NaN", [Number.NaN, 1]],
  ["a date", new Date(0)],
  ["a map", new Map([["seconds", 5]])],
  ["an error", new Error("5s")],
  [
    "an object that refers to itself",
    (() => {
      const self: { seconds?: unknown } = {}
      self.seconds = self
      return self
    })()
  ],
  ["an object of bigints", { seconds: 5n }]
]

const badConcurrencies: ReadonlyArray<unknown> = [
  0,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  2n,
  "",
  "0",
  "-1",
  "1.5",
  "1e2",
  "0x10",
  "many",
  "Unbounded",
  null,
  true,
  [3],
  {}
]

const badChoices: ReadonlyArray<unknown> = [
  "",
  " ",
  "Graceful",
  "none",
  "graceful,fast",
  0,
  1,
  Number.NaN,
  null,
  true,
  {},
  ["fast"]
]

const bad: ReadonlyArray<readonly [keyof typeof variables, ReadonlyArray<unknown>, ReadonlyArray<string>]> = [
  ["strategy", badChoices, ["graceful", "fast", "immediate", "patient"]],
  ["onReleaseFailure", [...badChoices, "graceful"], ["continue", "kill"]],
  ["drain", [...badChoices, "all"], ["work", "run"]],
  ["releaseConcurrency", badConcurrencies, ["whole number", "at least 1", "unbounded"]],
  ...limits.map((limit) => [limit, badDurations, ["a duration that is not negative"]] as const)
]

describe("the defaults", () => {
  it.effect("are those of the table", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* resolved(), defaults)
      assert.deepStrictEqual(plain(yield* withEnv({})(Effect.flatMap(StopPolicy.config, Effect.succeed))), defaults)
      assert.deepStrictEqual(plain(yield* StopPolicy.Defaults), defaults)
    }))

  it("have a variable and a flag each, and no other setting exists", () => {
    assert.deepStrictEqual(fieldNames.map(String), Object.keys(defaults))
    assert.deepStrictEqual(Object.fromEntries(fieldNames.map((field) => [field, variable(field)])), variables)
    assert.deepStrictEqual(fieldNames.map(flag), [
      "--strategy",
      "--delay",
      "--drain",
      "--drain-timeout",
      "--cancel-timeout",
      "--release-timeout",
      "--release-concurrency",
      "--on-release-failure",
      "--kill-timeout",
      "--deadline",
      "--start-timeout"
    ])
  })

  it.effect("can be changed for a whole program", () =>
    Effect.gen(function*() {
      const policy = new StopPolicy({ ...(yield* StopPolicy.Defaults), drainTimeout: Duration.seconds(7) })
      const changed = yield* Effect.provideService(resolved({ delay: "1s" }), StopPolicy.Defaults, policy)
      assert.deepStrictEqual(changed, { ...defaults, delay: 1_000, drainTimeout: 7_000 })
    }))

  it.effect("that a program has changed are checked too", () =>
    Effect.gen(function*() {
      const own = yield* StopPolicy.Defaults
      // a policy with a limit that is negative cannot be made
      for (const limit of [Duration.millis(-5), Duration.negativeInfinity]) {
        for (const field of limits) assert.throws(() => new StopPolicy({ ...own, [field]: limit }))
      }
      for (const releaseConcurrency of [0, -1, 1.5]) {
        assert.throws(() => new StopPolicy({ ...own, releaseConcurrency }))
      }
    }))
})

describe("the configuration", () => {
  const set = {
    strategy: ["fast", "fast"],
    delay: ["250ms", 250],
    drainTimeout: ["9s", 9_000],
    cancelTimeout: ["4 seconds", 4_000],
    releaseTimeout: ["1.5s", 1_500],
    releaseConcurrency: ["3", 3],
    onReleaseFailure: ["kill", "kill"],
    drain: ["run", "run"],
    killTimeout: ["0", 0],
    deadline: ["1m", 60_000],
    startTimeout: ["1h", 3_600_000]
  } as const

  for (const field of fieldNames) {
    const [text, value] = set[field]

    it.effect(`sets ${field} by ${variables[field]}`, () =>
      Effect.gen(function*() {
        const expected = { ...defaults, [field]: value }
        const providers = [
          ConfigProvider.fromEnv({ env: { [variables[field]]: text, PATH: "/bin", AUTOSTOP_TOKEN: "secret" } }),
          ConfigProvider.fromUnknown({ [variables[field]]: text })
        ]
        for (const provider of providers) {
          const read = Effect.gen(function*() {
            assert.deepStrictEqual(plain(yield* StopPolicy.config), expected)
            assert.deepStrictEqual(plain(yield* Policy.resolve([yield* Policy.fromConfig])), expected)
          })
          yield* Effect.provideService(read, ConfigProvider.ConfigProvider, provider)
        }
      }))
  }

  it.effect("sets all of them together", () =>
    Effect.gen(function*() {
      const env = Object.fromEntries(fieldNames.map((field) => [variables[field], set[field][0]]))
      const policy = yield* withEnv(env)(Effect.flatMap(StopPolicy.config, Effect.succeed))
      assert.deepStrictEqual(plain(policy), Object.fromEntries(fieldNames.map((field) => [field, set[field][1]])))
    }))

  it.effect("reads durations in Effect's form, in the short form, and without an end", () =>
    Effect.gen(function*() {
      for (
        const [text, ms] of [
          ["500 millis", 500],
          ["2 minutes", 120_000],
          ["1 day", 86_400_000],
          ["500ms", 500],
          ["0.5s", 500],
          ["2m", 120_000],
          ["  5s  ", 5_000],
          ["0", 0],
          ["Infinity", Infinity],
          ["infinity", Infinity]
        ] as const
      ) {
        const policy = yield* withEnv({ AUTOSTOP_START_TIMEOUT: text })(
          Effect.flatMap(StopPolicy.config, Effect.succeed)
        )
        assert.strictEqual(plain(policy)["startTimeout"], ms, text)
      }
    }))

  it.effect("takes a variable that is empty as one that is not set, as all configuration does", () =>
    Effect.gen(function*() {
      const env = Object.fromEntries(Object.values(variables).map((variable) => [variable, ""]))
      assert.deepStrictEqual(plain(yield* withEnv(env)(Effect.flatMap(StopPolicy.config, Effect.succeed))), defaults)
    }))

  for (const [field, values, expected] of bad) {
    it.effect(`refuses a wrong ${variables[field]}, names it and says what is allowed, and starts nothing`, () =>
      Effect.gen(function*() {
        for (const value of values) {
          if (typeof value !== "string" || value === "") continue
          const { exit, started } = yield* withEnv({ [variables[field]]: value })(submit({}))
          const error = refusal(exit)
          assert.strictEqual(error.setting, variables[field])
          assert.strictEqual(error.value, JSON.stringify(value))
          for (const text of [variables[field], JSON.stringify(value), ...expected]) assert.include(error.message, text)
          assert.isFalse(started)
        }
      }))
  }

  // the value too
  it.effect("fails as a Config with the variable, the value, and what is allowed", () =>
    Effect.gen(function*() {
      for (const [field, , expected] of bad) {
        const error = yield* withEnv({ [variables[field]]: "wrong" })(
          Effect.flip(Effect.flatMap(StopPolicy.config, Effect.succeed))
        )
        assert.instanceOf(error, Config.ConfigError)
        for (const text of [variables[field], "wrong", ...expected]) assert.include(error.message, text)
      }
    }))
})

describe("a setting", () => {
  for (const [field, values, expected] of bad) {
    it.effect(`such as ${field} is refused where it is wrong, with its name, its value and what is allowed`, () =>
      Effect.gen(function*() {
        for (const value of values) {
          const error = refusal(yield* Effect.exit(resolved({ [field]: value })))
          assert.strictEqual(error.setting, field)
          assert.include(error.message, `${field} is ${error.value}; expected `)
          for (const text of expected) assert.include(error.expected, text)
        }
      }))

    it.effect(`such as ${field} is refused in the options of a submit and in the job, and nothing is started`, () =>
      Effect.gen(function*() {
        const [value] = values
        // what is tested is that it is checked
        const stopPolicy = { [field]: value } as Policy.Settings
        for (const { exit, started } of [yield* submit({ stopPolicy }), yield* submit({}, { stopPolicy })]) {
          assert.strictEqual(refusal(exit).setting, field)
          assert.isFalse(started)
        }
      }))
  }

  for (const [what, value] of notDurations) {
    it.effect(`is refused where it should be a duration and is ${what}`, () =>
      Effect.gen(function*() {
        const error = refusal(yield* Effect.exit(resolved({ drainTimeout: value })))
        assert.strictEqual(error.setting, "drainTimeout")
      }))
  }

  it.effect("may be a duration of any form that Effect has", () =>
    Effect.gen(function*() {
      for (
        const [value, ms] of [
          [1_500, 1_500],
          [1.5, 1.5],
          [0, 0],
          [-0, 0],
          [5_000_000n, 5],
          ["5 seconds", 5_000],
          ["5s", 5_000],
          [[1, 500_000_000], 1_500],
          [{ seconds: 5 }, 5_000],
          [{ minutes: 1, seconds: 5 }, 65_000],
          [{ milliseconds: 0 }, 0],
          [Duration.seconds(5), 5_000],
          [Infinity, Infinity],
          ["Infinity", Infinity],
          [Duration.infinity, Infinity]
        ] as const
      ) {
        assert.strictEqual((yield* resolved({ startTimeout: value }))["startTimeout"], ms)
      }
    }))

  // a delay is no limit but a wait; one without an end is never over
  it.effect("such as delay must be finite", () =>
    Effect.gen(function*() {
      for (const strategy of Strategy.literals) {
        const error = refusal(yield* Effect.exit(resolved({ strategy, delay: Infinity })))
        assert.strictEqual(error.setting, "delay")
      }
    }))

  it.effect("of an unknown name is refused, with the names there are", () =>
    Effect.gen(function*() {
      for (
        const name of ["drainTimeot", "drain-timeout", "AUTOSTOP_DELAY", "", "toString", "constructor", "__proto__"]
      ) {
        const settings = Object.fromEntries([[name, "5s"]])
        const error = refusal(yield* Effect.exit(resolved(settings)))
        assert.strictEqual(error.setting, name)
        for (const field of fieldNames) assert.include(error.message, field)
        const { exit, started } = yield* submit({ stopPolicy: settings })
        assert.strictEqual(refusal(exit).setting, name)
        assert.isFalse(started)
      }
    }))

  it.effect("that is undefined counts as not set", () =>
    Effect.gen(function*() {
      const settings = Object.fromEntries(fieldNames.map((field) => [field, undefined]))
      assert.deepStrictEqual(yield* resolved({ delay: "1s" }, settings, undefined), { ...defaults, delay: 1_000 })
    }))

  // whatever is no object of settings is refused too; some of these went unseen, and "fast" was a defect
  for (
    const [what, settings] of [
      ["a text", "fast"],
      ["a number", 5],
      ["true", true],
      ["a list", ["fast"]],
      ["an empty list", []],
      ["a function", () => ({})],
      ["a map", new Map([["delay", 5]])]
    ] as const
  ) {
    it.effect(`is refused with its whole stopPolicy where that is ${what}`, () =>
      Effect.gen(function*() {
        // what is tested is that it is checked
        const { exit, started } = yield* submit({ stopPolicy: settings as unknown as Policy.Settings })
        refusal(exit)
        assert.isFalse(started)
      }))
  }
})

describe("limits and the deadline", () => {
  const Ms = between(0, 60_000)
  const Set = Schema.Struct({
    delay: Schema.optionalKey(Ms),
    drainTimeout: Schema.optionalKey(Ms),
    cancelTimeout: Schema.optionalKey(Ms),
    releaseTimeout: Schema.optionalKey(Ms),
    killTimeout: Schema.optionalKey(Ms),
    deadline: Schema.optionalKey(Ms)
  })

  it.effect.prop(
    "fit together: a limit that was set is kept as it is or refused, and a default gives way to the deadline",
    { set: Set },
    ({ set }) =>
      Effect.gen(function*() {
        const deadline = set.deadline ?? defaults.deadline
        const tooLong = withinDeadline.find((field) => (set[field] ?? 0) > deadline)
        const exit = yield* Effect.exit(resolved(set))
        if (tooLong !== undefined) {
          const error = refusal(exit)
          assert.strictEqual(error.setting, tooLong)
          for (const ms of [set[tooLong] ?? 0, deadline]) {
            assert.include(error.message, Duration.format(Duration.millis(ms)))
          }
          assert.include(error.message, "deadline")
          return
        }
        const expected = { ...defaults, ...set }
        for (const field of withinDeadline) {
          assert.strictEqual((yield* exit)[field], Math.min(expected[field], deadline), field)
        }
        assert.strictEqual((yield* exit)["deadline"], deadline)
      })
  )

  it.effect("that do not fit are refused with both names and both values, as they were written, and nothing starts", () =>
    Effect.gen(function*() {
      const both = yield* submit({ stopPolicy: { drainTimeout: "30s", deadline: "20 seconds" } })
      const ofOne = yield* submit({ stopPolicy: { drainTimeout: "26s" } })
      const ofTwo = yield* withEnv({ AUTOSTOP_DRAIN_TIMEOUT: "12s" })(submit({ stopPolicy: { deadline: "11s" } }))
      const ofEnv = yield* withEnv({ AUTOSTOP_KILL_TIMEOUT: "12s", AUTOSTOP_DEADLINE: "11s" })(submit({}))
      const messages = [both, ofOne, ofTwo, ofEnv].map(({ exit, started }) => {
        assert.isFalse(started)
        return refusal(exit).message
      })
      for (
        const [place, texts] of [
          [0, ["drainTimeout", "30s", "deadline", "20s"]],
          [1, ["drainTimeout", "26s", "deadline", "25s"]],
          [2, ["AUTOSTOP_DRAIN_TIMEOUT", "12s", "deadline", "11s"]],
          [3, ["AUTOSTOP_KILL_TIMEOUT", "12s", "AUTOSTOP_DEADLINE", "11s"]]
        ] as const
      ) {
        for (const text of texts) assert.include(messages[place], text)
      }
    }))

  it.effect("that have no end take what the deadline leaves them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* resolved({ drainTimeout: "Infinity", deadline: "8s" }), {
        ...defaults,
        drainTimeout: 8_000,
        deadline: 8_000
      })
    }))

  it.effect("are as long as they like where there is no deadline", () =>
    Effect.gen(function*() {
      const policy = yield* resolved({ drainTimeout: "1 day", killTimeout: Infinity, deadline: "Infinity" })
      assert.deepStrictEqual(policy, {
        ...defaults,
        drainTimeout: 86_400_000,
        killTimeout: Infinity,
        deadline: Infinity
      })
    }))

  it.effect("leave the start out: its limit may be longer than the deadline, because it is no part of a stop", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* resolved({ startTimeout: "10m", deadline: "1s" }))["startTimeout"], 600_000)
    }))

  it.effect("do not exist in a patient policy, which keeps its delay", () =>
    Effect.gen(function*() {
      const none = { drainTimeout: Infinity, cancelTimeout: Infinity, releaseTimeout: Infinity, killTimeout: Infinity }
      const policy = yield* resolved({ strategy: "patient", delay: "3s", drainTimeout: "100s", deadline: "5s" })
      assert.deepStrictEqual(policy, {
        ...defaults,
        ...none,
        strategy: "patient",
        delay: 3_000,
        deadline: Infinity,
        startTimeout: Infinity
      })
      const error = refusal(yield* Effect.exit(resolved({ strategy: "patient", drainTimeout: "-1s" })))
      assert.strictEqual(error.setting, "drainTimeout")
    }))
})

describe("precedence", () => {
  const Value = Schema.optionalKey(between(0, 1_000))
  const Source = Schema.Struct({
    delay: Value,
    drainTimeout: Value,
    cancelTimeout: Value,
    releaseTimeout: Value,
    killTimeout: Value,
    startTimeout: Value,
    strategy: Schema.optionalKey(Schema.Literals(["graceful", "fast", "immediate"])),
    onReleaseFailure: Schema.optionalKey(Schema.Literals(["continue", "kill"])),
    drain: Schema.optionalKey(Schema.Literals(["work", "run"])),
    releaseConcurrency: Schema.optionalKey(between(1, 9))
  })

  it.effect.prop(
    "lets, for each setting by itself, the submit win over the job, the job over the configuration, and that over the defaults",
    { config: Source, job: Source, submit: Source },
    ({ config, job, submit }) =>
      Effect.gen(function*() {
        const env = Object.fromEntries(
          Object.entries(config).map(([field, value]) => [
            variable(field as keyof typeof config), // the keys of a struct
            limits.some((limit) => limit === field) ? `${value}ms` : String(value)
          ])
        )
        const source = yield* withEnv(env)(Policy.fromConfig)
        const policy = yield* Policy.resolve([source, Policy.fromOptions(job), Policy.fromOptions(submit)])
        assert.deepStrictEqual(plain(policy), { ...defaults, ...config, ...job, ...submit })
      })
  )

  it.effect("holds where a job is submitted", () =>
    Effect.gen(function*() {
      // each of them is refused by its own name, as long as nobody stronger has set it
      const wrong = "2 hours"
      const env = withEnv({ AUTOSTOP_DRAIN_TIMEOUT: wrong })
      const byConfig = yield* env(submit({}))
      const byJob = yield* env(submit({}, { stopPolicy: { drainTimeout: wrong } }))
      assert.strictEqual(refusal(byConfig.exit).setting, "AUTOSTOP_DRAIN_TIMEOUT")
      assert.strictEqual(refusal(byJob.exit).setting, "drainTimeout")
      const jobWins = yield* env(submit({}, { stopPolicy: { drainTimeout: "1s" } }))
      const submitWins = yield* env(
        submit({ stopPolicy: { drainTimeout: "1s" } }, { stopPolicy: { drainTimeout: wrong } })
      )
      assert.deepStrictEqual([jobWins.exit._tag, submitWins.exit._tag], ["Success", "Success"])
    }))

  it.effect("accepts a whole policy where it accepts settings", () =>
    Effect.gen(function*() {
      const policy = yield* Policy.resolve([untyped({ drainTimeout: "3s", releaseConcurrency: 2 })])
      assert.deepStrictEqual(yield* resolved({ drainTimeout: "9s" }, policy), plain(policy))
      const { exit } = yield* submit({ stopPolicy: policy })
      assert.strictEqual(exit._tag, "Success")
    }))

  it.effect("refuses a wrong setting, also where a stronger one wins over it", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(resolved({ delay: "soon" }, { delay: "1s" }))
      assert.strictEqual(refusal(exit).setting, "delay")
    }))
})

describe("a policy as JSON", () => {
  const Ms = Schema.Union([
    between(0, 100_000_000),
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })),
    Schema.Literal("Infinity")
  ])
  const Parts = Schema.Struct({
    strategy: Strategy,
    delay: Ms,
    drainTimeout: Ms,
    cancelTimeout: Ms,
    releaseTimeout: Ms,
    releaseConcurrency: Schema.Union([Schema.Literal("unbounded"), between(1, 1_000)]),
    onReleaseFailure: Schema.Literals(["continue", "kill"]),
    drain: Schema.Literals(["work", "run"]),
    killTimeout: Ms,
    deadline: Ms,
    startTimeout: Ms
  })
  const limitOf = (ms: typeof Ms.Type) => ms === "Infinity" ? Duration.infinity : Duration.millis(ms)
  const policyOf = (parts: typeof Parts.Type) =>
    new StopPolicy({
      ...parts,
      delay: limitOf(parts.delay),
      drainTimeout: limitOf(parts.drainTimeout),
      cancelTimeout: limitOf(parts.cancelTimeout),
      releaseTimeout: limitOf(parts.releaseTimeout),
      killTimeout: limitOf(parts.killTimeout),
      deadline: limitOf(parts.deadline),
      startTimeout: limitOf(parts.startTimeout)
    })
  const there = Schema.encodeSync(Schema.fromJsonString(StopPolicy))
  const back = Schema.decodeUnknownSync(Schema.fromJsonString(StopPolicy))

  it.prop("is the same after it was written and read", { parts: Parts }, ({ parts }) => {
    const policy = policyOf(parts)
    const read = back(there(policy))
    assert.instanceOf(read, StopPolicy)
    assert.deepStrictEqual(plain(read), plain(policy))
    assert.strictEqual(there(read), there(policy))
    assert.notInclude(there(policy), "null")
  })

  it.effect("has durations in milliseconds, or \"Infinity\"", () =>
    Effect.gen(function*() {
      const policy = yield* Policy.resolve([untyped({ drainTimeout: "1.5s", startTimeout: "Infinity" })])
      assert.deepStrictEqual(JSON.parse(there(policy)), { ...defaults, drainTimeout: 1_500, startTimeout: "Infinity" })
    }))

  it("is refused if it is no policy", () => {
    for (const field of Object.keys(defaults)) {
      for (const value of ["soon", -1, null, {}, [], true, "", -Infinity, "-Infinity"]) {
        assert.throws(() => Schema.decodeUnknownSync(StopPolicy)({ ...defaults, [field]: value }), undefined, field)
      }
      const { [field]: _, ...rest }: Record<string, unknown> = defaults
      assert.throws(() => Schema.decodeUnknownSync(StopPolicy)(rest), field)
    }
  })

  it("is refused with an error that is the same after it was written and read", () => {
    const Json = Schema.fromJsonString(PolicyError)
    const error = PolicyError.of("delay", "soon", "a duration")
    const read = Schema.decodeUnknownSync(Json)(Schema.encodeSync(Json)(error))
    assert.instanceOf(read, PolicyError)
    assert.deepStrictEqual([read.setting, read.value, read.expected, read.message], [
      "delay",
      "\"soon\"",
      "a duration",
      "delay is \"soon\"; expected a duration"
    ])
  })
})
