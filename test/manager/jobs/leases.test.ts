import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { ActiveJob } from "../../../src/manager/jobs/activeJob.ts"
import { Leases } from "../../../src/manager/jobs/leases.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { activeJob } from "../../support/activeJob.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { settle } from "../../support/jobs.ts"
import { managerService, Processes } from "../../support/managerService.ts"

const dayMs = 24 * 60 * 60 * 1_000
const reason = "its lease has expired: its client is gone"

/** A test with a manager of its own, which runs one job at once, and a clock that it moves. */
const test = (name: string, body: Effect.Effect<void, unknown, Manager | Processes | Scope.Scope>) =>
  it.effect(name, () =>
    Effect.flatMap(
      temporaryFolder,
      (folder) => Effect.provide(body, managerService({ folder, jobs: ["endless"], concurrency: 1 }))
    ))

/** Submits a job with a lease of a day. */
const leased = (id: string) =>
  Effect.andThen(Manager.use((manager) => manager.submit({ job: "endless", id, leaseMs: dayMs })), settle)

/** Moves the clock on by hours, and renews a lease after each. */
const renewed = (id: string, hours: number) =>
  Effect.forEach(
    Array.from({ length: hours }),
    () => Effect.andThen(TestClock.adjust("1 hour"), Manager.use((manager) => manager.renew(id))),
    { discard: true }
  )

/** Waits until a job has stopped, and its end is on disk. */
const stopped = (id: string) =>
  Effect.flatMap(
    Manager,
    (manager) => Effect.andThen(Stream.runDrain(manager.events(id, { after: 0, follow: true })), manager.result(id))
  )

const stateOf = (id: string) => Effect.map(Manager.use((manager) => manager.get(id)), ({ state }) => state)
const stopsOf = (id: string) => Effect.map(Processes, (processes) => processes.get(id)?.stops)

describe("a lease of a day", () => {
  test(
    "lasts as long as it is renewed, and expires a day after the last renewal",
    Effect.gen(function*() {
      yield* leased("a")
      yield* renewed("a", 50)
      assert.deepStrictEqual(yield* stopsOf("a"), [])
      yield* TestClock.adjust(dayMs - 1)
      assert.deepStrictEqual(yield* stopsOf("a"), [])
      assert.strictEqual(yield* stateOf("a"), "starting")
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* stopsOf("a"), [{ reason }])
      const { report } = yield* stopped("a")
      assert.include(report, { trigger: "stopped", reason })
      assert.strictEqual(yield* stateOf("a"), "stopped")
    })
  )

  test(
    "expires in the queue too, and the job never starts",
    Effect.gen(function*() {
      const manager = yield* Manager
      yield* manager.submit({ job: "endless", id: "first" })
      yield* leased("queued")
      yield* renewed("queued", 30)
      yield* TestClock.adjust(dayMs - 1)
      assert.strictEqual(yield* stateOf("queued"), "queued")
      yield* TestClock.adjust(1)
      const { report } = yield* stopped("queued")
      assert.include(report, { trigger: "stopped", reason, outcome: "cancelled" })
      assert.strictEqual(report.stoppedAt, new Date(30 * 60 * 60 * 1_000 + dayMs).toISOString())
      assert.isUndefined(yield* stopsOf("queued"))
      assert.strictEqual(yield* stateOf("first"), "starting")
    })
  )

  test(
    "that began in the queue continues when the job runs",
    Effect.gen(function*() {
      const manager = yield* Manager
      yield* manager.submit({ job: "endless", id: "first" })
      yield* leased("second")
      yield* TestClock.adjust(dayMs / 2)
      yield* manager.stop("first", {})
      yield* stopped("first")
      yield* settle
      assert.strictEqual(yield* stateOf("second"), "starting")
      yield* TestClock.adjust(dayMs / 2 - 1)
      assert.deepStrictEqual(yield* stopsOf("second"), [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* stopsOf("second"), [{ reason }])
    })
  )

  test(
    "does not affect a job without a lease, or a stopped one",
    Effect.gen(function*() {
      const manager = yield* Manager
      yield* manager.submit({ job: "endless", id: "free" })
      yield* leased("stopped")
      yield* manager.stop("stopped", { reason: "enough" })
      const { report } = yield* stopped("stopped")
      assert.strictEqual(report.reason, "enough")
      yield* manager.renew("stopped")
      yield* manager.renew("free")
      yield* TestClock.adjust(30 * dayMs)
      assert.deepStrictEqual(yield* stopsOf("free"), [])
      assert.strictEqual((yield* manager.result("stopped")).report.reason, "enough")
    })
  )

  it.effect("begins anew for a job that a manager finds in its queue when it starts", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const manager = Layer.fresh(managerService({ folder, jobs: ["endless"], concurrency: 1 }))
      yield* Effect.gen(function*() {
        const manager = yield* Manager
        yield* manager.submit({ job: "endless", id: "first" })
        yield* leased("queued")
        yield* TestClock.adjust(dayMs - 1)
      }).pipe(Effect.provide(manager))
      yield* TestClock.adjust(dayMs)
      yield* Effect.gen(function*() {
        yield* settle
        assert.strictEqual(yield* stateOf("queued"), "starting")
        yield* TestClock.adjust(dayMs - 1)
        assert.deepStrictEqual(yield* stopsOf("queued"), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* stopsOf("queued"), [{ reason }])
      }).pipe(Effect.provide(manager))
    }))
})

describe("a lease in a manager that is paused", () => {
  const leaseMs = 15_000

  /** A clock of a process that may be paused: what was due meanwhile comes at once, and late. */
  class PausableClock implements Clock.Clock {
    #ms = 0
    readonly #sleepers = new Map<() => void, number>()

    currentTimeMillisUnsafe = () => this.#ms
    currentTimeNanosUnsafe = () => BigInt(this.#ms) * 1_000_000n
    monotonicTimeNanosUnsafe = () => BigInt(Math.round(this.#ms * 1_000_000))
    currentTimeMillis = Effect.sync(this.currentTimeMillisUnsafe)
    currentTimeNanos = Effect.sync(this.currentTimeNanosUnsafe)
    monotonicTimeNanos = Effect.sync(this.monotonicTimeNanosUnsafe)
    sleep = (duration: Duration.Duration) =>
      Effect.callback<void>((resume) => {
        const wake = () => resume(Effect.void)
        this.#sleepers.set(wake, this.#ms + Duration.toMillis(duration))
        return Effect.sync(() => void this.#sleepers.delete(wake))
      })

    pause(ms: number): Effect.Effect<void> {
      return Effect.suspend(() => {
        this.#ms += ms
        for (const [wake, at] of this.#sleepers) {
          if (at > this.#ms) continue
          this.#sleepers.delete(wake)
          wake()
        }
        return settle
      })
    }

    run(ms: number): Effect.Effect<void> {
      return Effect.suspend(() => {
        const next = Math.min(ms, ...Array.from(this.#sleepers.values(), (at) => at - this.#ms))
        return Effect.andThen(this.pause(Math.max(0, next)), next < ms ? this.run(ms - next) : Effect.void)
      })
    }
  }

  it.effect.prop(
    "does not count the pause, whenever and however long that is",
    {
      pauses: Schema.Array(Schema.Struct({
        afterMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 })),
        ms: Schema.Int.check(Schema.isBetween({ minimum: 1_000, maximum: 100_000 }))
      })).check(Schema.isMaxLength(3))
    },
    ({ pauses }) =>
      Effect.gen(function*() {
        const clock = new PausableClock()
        const expired: Array<ActiveJob> = []
        const fork = yield* FiberSet.makeRuntime<never>()
        const leases = new Leases(
          { clock, fork: (effect) => fork(Effect.provideService(effect, Clock.Clock, clock)) },
          (job) => void expired.push(job)
        )
        const job = activeJob("leased", { state: "queued" }, { leaseMs })
        leases.renew(job)
        yield* settle
        let ranMs = 0
        for (const { afterMs, ms } of pauses) {
          yield* clock.run(afterMs)
          ranMs += afterMs
          yield* clock.pause(ms)
        }
        // the part of a pause counts that comes before the lease is to be looked at next
        const countedMs = pauses.length * leaseMs / 8
        yield* clock.run(Math.max(0, leaseMs - ranMs - countedMs - 1))
        assert.deepStrictEqual(expired, [])
        yield* clock.run(leaseMs)
        assert.deepStrictEqual(expired, [job])
      })
  )
})
