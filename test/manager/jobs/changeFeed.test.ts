import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { type Change, JobInfo, type JobState } from "../../../src/manager/models.ts"
import { ChangeFeed } from "../../../src/manager/jobs/changeFeed.ts"

const info = (id: string, state: JobState) => new JobInfo({ id, job: "sum", state, priority: 0, submittedAt: "" })
const overview = Effect.succeed<Change & { readonly _tag: "Overview" }>({
  _tag: "Overview",
  version: "1",
  at: "",
  startedAt: "",
  ready: true,
  counts: { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 },
  jobs: []
})
const brief = (change: Change) =>
  change._tag === "Job" ? `${change.info.id} ${change.info.state}` : change._tag === "Stages" ? change.id : change._tag

/** Returns an effect that reads the next changes. */
const reader = Effect.fnUntraced(function*(feed: ChangeFeed) {
  const pull = yield* Stream.toPull(feed.read(overview, () => []))
  return Effect.map(pull, (changes) => changes.map(brief))
})

describe("ChangeFeed", () => {
  it.effect("emits an overview, and then each change", () =>
    Effect.gen(function*() {
      const feed = new ChangeFeed()
      feed.changed(info("early", "queued"))
      const next = yield* reader(feed)
      assert.deepStrictEqual(yield* next, ["Overview"])
      const waiting = yield* Effect.forkChild(next, { startImmediately: true })
      feed.changed(info("a", "queued"))
      assert.deepStrictEqual(yield* Fiber.join(waiting), ["a queued"])
      feed.changed(info("a", "starting"))
      feed.invalidate()
      feed.changed(info("b", "queued"))
      assert.deepStrictEqual(yield* next, ["Overview"])
    }))

  it.effect("emits only the latest info of each job to a slow reader, and an overview if there are too many", () =>
    Effect.gen(function*() {
      const feed = new ChangeFeed()
      const next = yield* reader(feed)
      assert.deepStrictEqual(yield* next, ["Overview"])
      const seen: Array<string> = []
      // the element that was pulled already comes as it was
      for (const state of ["queued", "starting", "running"] as const) feed.changed(info("a", state))
      feed.changed(info("b", "queued"))
      feed.changed(info("a", "stopped"))
      while (!seen.includes("a stopped")) seen.push(...yield* next)
      assert.notInclude(seen, "a starting")
      assert.include(seen, "b queued")
      for (let n = 0; n < 10_100; n++) feed.changed(info(`job-${n}`, "queued"))
      const later = [...yield* next]
      if (later[0] !== "Overview") later.push(...yield* next)
      assert.include(later, "Overview")
      assert.isBelow(later.length, 100)
    }))

  it.effect("emits counters while they change, at most twice a second", () =>
    Effect.gen(function*() {
      const feed = new ChangeFeed()
      const count = (n: number) => [{ name: "ticks", kind: "source" as const, count: n }]
      let stages = count(1)
      const told = yield* Queue.unbounded<string>()
      const watched = feed.read(overview, () => [{ _tag: "Stages", id: `job ${stages[0]?.count}`, stages }])
      yield* Effect.forkChild(Stream.runForEach(watched, (change) => Queue.offer(told, brief(change))))
      const first = [yield* Queue.take(told), yield* Queue.take(told)]
      assert.sameMembers(first, ["Overview", "job 1"])
      for (let n = 2; n <= 10; n++) {
        stages = count(n)
        yield* TestClock.adjust("100 millis")
      }
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Queue.takeAll(told), ["job 6", "job 10"])
    }))
})
