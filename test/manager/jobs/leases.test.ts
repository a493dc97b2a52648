import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Manager } from "../../../src/manager/Manager.ts"
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
