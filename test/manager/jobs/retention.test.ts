import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { TestClock } from "effect/testing"
import { JobStore } from "../../../src/manager/JobStore.ts"
import type { Retention } from "../../../src/manager/Manager.ts"
import { removeOld, retain } from "../../../src/manager/jobs/retention.ts"
import { add, at, files, jobOf, stopped, withStore } from "../../support/store.ts"

const sqlite = files()
afterAll(() => sqlite.remove())

const minute = 60_000
const hash = (digit: string) => digit.repeat(64)

/** Returns what is removed of jobs that stopped a minute apart, the last one now. */
const removed = (keep: Retention) =>
  withStore(sqlite.fresh())(
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* store.addBundle({ hash: hash("a"), content: "{}", uploadedAt: at(0) })
      yield* store.addBundle({ hash: hash("b"), content: "{}", uploadedAt: at(0) })
      for (const [index, id] of ["j0", "j1", "j2", "j3"].entries()) {
        const job = jobOf(id)
        const bundle = id === "j3" ? { bundle: hash("a") } : {}
        yield* add({ info: stopped(id, index * 60), submission: { ...job.submission, ...bundle } })
      }
      yield* add(jobOf("running", { state: "running" }))
      yield* TestClock.setTime(Date.parse(at(180)))
      const forgotten: Array<string> = []
      const forget = (what: string) => void forgotten.push(what)
      yield* removeOld({ store, keep, removeJobFiles: forget, removeBundleFiles: forget, onRemoved: () => {} })
      const left = (yield* store.list({ limit: 10 })).map(({ id }) => id)
      assert.include(left, "running")
      assert.deepStrictEqual(
        forgotten.filter((what) => what.startsWith("j")).toSorted(),
        ["j0", "j1", "j2", "j3"].filter((id) => !left.includes(id))
      )
      return forgotten
    }).pipe(Effect.scoped)
  )

describe("retention", () => {
  it.effect("removes jobs that are too old, and bundles that no job uses", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* removed({ ageMs: 90_000, jobs: Infinity }), ["j0", "j1", hash("b")])
    }))

  it.effect("removes the oldest of too many jobs", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* removed({ ageMs: Infinity, jobs: 3 }), ["j0"])
    }))

  it.effect("is repeated as long as the manager runs", () =>
    withStore(sqlite.fresh())(
      Effect.gen(function*() {
        const store = yield* JobStore
        const forgotten = yield* Queue.unbounded<string>()
        const removeJobFiles = (id: string) => void Queue.offerUnsafe(forgotten, id)
        const keep = { ageMs: 5 * minute, jobs: Infinity }
        yield* TestClock.setTime(Date.parse(at(0)))
        yield* add({ ...jobOf("old"), info: stopped("old", -600) }, { ...jobOf("new"), info: stopped("new", 0) })
        yield* Effect.forkScoped(
          retain({ store, keep, removeJobFiles, removeBundleFiles: () => {}, onRemoved: () => {} })
        )
        assert.strictEqual(yield* Queue.take(forgotten), "old")
        yield* TestClock.adjust(10 * minute)
        assert.strictEqual(yield* Queue.take(forgotten), "new")
      }).pipe(Effect.scoped)
    ))

  it.effect("removes nothing without limits", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* removed({ ageMs: Infinity, jobs: Infinity }), [])
    }))
})
