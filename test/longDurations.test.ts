/** Every setting that is a duration holds however long it is: a timer of Node's takes no more than 2^31-1 ms. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Heartbeat } from "../src/host/caller/heartbeat.ts"
import { encodeRunOptions } from "../src/manager/client/encodeRunOptions.ts"
import { Manager } from "../src/manager/Manager.ts"
import { readOptions } from "../src/manager/readOptions.ts"
import { type Environment, Host, Pipeline, Service, type StopPolicy, type SubmitOptions } from "../src/index.ts"
import { startTimer } from "../src/process/timers.ts"
import { Journal, probe } from "../src/testing.ts"
import { temporaryFolder } from "./support/folder.ts"
import { local, never, settle, submit } from "./support/jobs.ts"
import { managerService, Processes } from "./support/managerService.ts"

const edge = 2 ** 31
const yearMs = 365 * 24 * 60 * 60 * 1_000
const finite = [edge - 2, edge - 1, edge, edge + 1, edge + 5, yearMs]
/** No clock gets there: 285,616 years are more milliseconds than a number counts exactly. */
const endless = [285_616 * yearMs, Infinity]

/** Begins what the setting limits or delays, and returns whether it has happened. */
type Begin = (ms: number) => Effect.Effect<Effect.Effect<boolean>, unknown, Scope.Scope | Environment>

type Given = Omit<SubmitOptions, "stopPolicy"> & { readonly stopPolicy?: StopPolicy.Settings }

/** Submits a job and, if it is to stop, asks for that. Its stop has no deadline. */
const job = (
  run: Effect.Effect<unknown>,
  { services, stop, ...options }: Given & {
    readonly services?: Layer.Layer<never>
    readonly stop?: "drain" | "cancel"
  }
) =>
  Effect.gen(function*() {
    const submitted = yield* submit(run, services, {
      ...options,
      stopPolicy: { deadline: Duration.infinity, ...options.stopPolicy }
    })
    // its Scope waits for its stop
    yield* Effect.addFinalizer(() => submitted.stop({ mode: "kill" }))
    yield* settle
    if (stop !== undefined) yield* submitted.stop({ mode: stop })
    return Effect.map(submitted.status, (status) => status === "stopped")
  })

const hangs = (options: Parameters<typeof probe>[2]) => probe(new Journal(), "db", options)
const stuck = Stream.make(1).pipe(Pipeline.source("numbers"), Stream.mapEffect(() => Effect.never), Stream.runDrain)
const settings: { readonly [setting: string]: Begin } = {
  "autostop.after": (after) => job(Effect.never, { autostop: { after } }),
  "autostop.idle": (idle) => job(Effect.never, { autostop: { idle } }),
  delay: (delay) =>
    delay === Infinity
      ? Effect.succeed(Effect.succeed(false))
      : job(Effect.never, { stopPolicy: { delay }, stop: "drain" }),
  drainTimeout: (drainTimeout) => job(stuck, { stopPolicy: { drainTimeout }, stop: "drain" }),
  cancelTimeout: (cancelTimeout) =>
    job(Effect.uninterruptible(Effect.never), { stopPolicy: { cancelTimeout }, stop: "cancel" }),
  releaseTimeout: (releaseTimeout) =>
    job(Effect.void, { services: hangs({ release: never }), stopPolicy: { releaseTimeout } }),
  startTimeout: (startTimeout) =>
    job(Effect.void, { services: hangs({ acquire: never }), stopPolicy: { startTimeout, cancelTimeout: 0 } }),
  "the stop timeout of a service": (ms) =>
    job(Effect.void, {
      services: hangs({ release: never, stop: { timeout: ms } }),
      // the stop looks for layers that stall as often as this
      stopPolicy: { releaseTimeout: Duration.infinity }
    }),
  "the start timeout of a service": (ms) =>
    job(Effect.void, {
      services: Service.manage("db", Layer.effectDiscard(Effect.never), { start: { timeout: ms } }),
      stopPolicy: { cancelTimeout: 0 }
    }),
  "the heartbeat of a host": (ms) =>
    Effect.gen(function*() {
      let pings = 0
      yield* Effect.forkScoped(new Heartbeat(ms, () => pings++, () => {}).run)
      return Effect.sync(() => pings > 0)
    }),
  "a restart delay of a host": (ms) =>
    Effect.gen(function*() {
      if (ms === Infinity) return Effect.succeed(false)
      const step = yield* Schedule.toStep(Host.restart.fixed({ delay: ms }))
      let isOver = false
      const [, delay] = yield* step(yield* Clock.currentTimeMillis, undefined)
      yield* Effect.forkScoped(Effect.andThen(Effect.sleep(delay), Effect.sync(() => isOver = true)))
      return Effect.sync(() => isOver)
    })
}

/** The settings of a job of a manager. */
const managed: {
  readonly [setting: string]: (ms: number) => Effect.Effect<() => boolean, unknown, Manager | Processes>
} = {
  "a lease": (leaseMs) =>
    Effect.gen(function*() {
      const processes = yield* Processes
      yield* Manager.use((manager) => manager.submit({ job: "endless", id: "a", leaseMs }))
      yield* settle
      return () => processes.get("a")?.isRunning === false
    }),
  "a restart delay of a job": (delayMs) =>
    Effect.gen(function*() {
      const processes = yield* Processes
      const restart = { policy: "fixed", delayMs } as const
      yield* Manager.use((manager) => manager.submit({ job: "endless", id: "a", restart }))
      yield* settle
      const first = processes.get("a")
      first?.fail("it broke")
      yield* settle
      return () => processes.get("a") !== first
    })
}

/** Something that waits for the disk, too. */
const soon = (isSo: () => boolean) =>
  Effect.promise(async () => {
    const end = performance.now() + 10_000
    while (!isSo() && performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
    return isSo()
  })

describe.each(Object.entries(settings))("%s", (_, begin) => {
  it.effect.each(finite)("of %s ms holds until then, and no longer", (ms) =>
    Effect.gen(function*() {
      const hasHappened = yield* begin(ms)
      yield* TestClock.adjust(ms - 1)
      assert.isFalse(yield* hasHappened)
      yield* TestClock.adjust(1)
      yield* settle
      assert.isTrue(yield* hasHappened)
    }).pipe(Effect.scoped, local))

  it.effect.each(endless)("of %s ms holds for years", (ms) =>
    Effect.gen(function*() {
      const hasHappened = yield* begin(ms)
      for (let year = 0; year < 3; year++) yield* TestClock.adjust(yearMs)
      yield* settle
      assert.isFalse(yield* hasHappened)
    }).pipe(Effect.scoped, local))
})

describe.each(Object.entries(managed))("%s", (_, begin) => {
  // its retention looks at the disk every ten minutes
  it.effect.each([edge + 5])(
    "of %s ms holds until then, and no longer",
    (ms) =>
      Effect.flatMap(temporaryFolder, (folder) =>
        Effect.gen(function*() {
          const hasHappened = yield* begin(ms)
          yield* TestClock.adjust(ms - 1)
          assert.isFalse(hasHappened())
          yield* TestClock.adjust(1)
          assert.isTrue(yield* soon(hasHappened))
        }).pipe(Effect.provide(managerService({ folder, jobs: ["endless"] }))))
  )

  it.effect("of 285,616 years holds for longer than any timer", () =>
    Effect.flatMap(temporaryFolder, (folder) =>
      Effect.gen(function*() {
        const hasHappened = yield* begin(285_616 * yearMs)
        yield* TestClock.adjust(edge + 5)
        yield* settle
        assert.isFalse(hasHappened())
      }).pipe(Effect.provide(managerService({ folder, jobs: ["endless"] })))))
})

describe("a limit of a manager", () => {
  it.effect.each([Infinity, "Infinity", "infinity", Duration.infinity])(
    "may be %s, which is none",
    (limit) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* encodeRunOptions({ timeLimit: limit as Duration.Input }), {})
        const read = yield* readOptions({
          jobs: [],
          folder: ".",
          limits: { time: limit as Duration.Input },
          keep: { age: limit as Duration.Input }
        })
        assert.deepInclude(read, { limits: {}, keep: { ageMs: Infinity, jobs: Infinity } })
      })
  )

  it.effect("is refused as a delay if it is infinite, with what may be written", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(encodeRunOptions({ restart: { policy: "fixed", delay: "Infinity" } }))
      assert.include(error.message, "that is not infinite")
    }))
})

describe("a timer of Node's", () => {
  it.live.each([...finite, ...endless])(
    "of %s ms does not fire at once, and Node says nothing of an overflow",
    (ms) =>
      Effect.promise(async () => {
        const warnings: Array<string> = []
        const warn = (warning: Error) => void warnings.push(warning.name)
        process.on("warning", warn)
        let fired = false
        const cancel = startTimer(ms, () => fired = true, { keepsAlive: true })
        // a timer that overflows waits for a millisecond
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 5))
        cancel()
        process.off("warning", warn)
        assert.isFalse(fired)
        assert.deepStrictEqual(warnings, [])
      })
  )
})
