import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { makePageFeed, type OpenJob } from "../../../src/manager/http/pageFeed.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import type { Update } from "../../../src/manager/models.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService, Processes } from "../../support/managerService.ts"

const withManager = <A, E>(body: Effect.Effect<A, E, Manager | Processes>) =>
  Effect.scoped(
    Effect.flatMap(temporaryFolder, (folder) =>
      Effect.provide(body, managerService({ folder, jobs: ["sum"], concurrency: 2 })))
  )

/** Reads the feed of a page until it has an update, and returns all up to that. */
const readUntil = (open: OpenJob, isLast: (update: Update) => boolean) =>
  Effect.flatMap(Manager, (manager) => makePageFeed(manager)(open).pipe(Stream.takeUntil(isLast), Stream.runCollect))

const submit = (id: string) => Effect.flatMap(Manager, (manager) => manager.submit({ job: "sum", id }))

describe("the feed of a page", () => {
  it.live("has all jobs and, of the job that is open, the events after a number", () =>
    withManager(Effect.gen(function*() {
      yield* submit("a")
      yield* submit("b")
      const processes = yield* Processes
      while (processes.get("a") === undefined) yield* Effect.yieldNow
      const ran = { _tag: "RunStarted", at: new Date(0).toISOString() } as const
      processes.get("a")?.report(ran)
      processes.get("b")?.report(ran)
      const updates = yield* readUntil(
        { job: "a" },
        (update) => update._tag === "Event" && update.event._tag === "RunStarted"
      )
      const overview = updates.find(({ _tag }) => _tag === "Overview")
      assert.notProperty(overview, "shortened")
      assert.sameMembers(overview?._tag === "Overview" ? overview.jobs.map(({ id }) => id) : [], ["a", "b"])
      const events = updates.filter((update) => update._tag === "Event")
      assert.deepStrictEqual(events.map(({ id, seq }) => [id, seq]), events.map((_, index) => ["a", index + 1]))
      const number = events.at(-1)?.seq ?? 0
      processes.get("a")?.succeed()
      const rest = yield* readUntil(
        { job: "a", after: number },
        (update) => update._tag === "Event" && update.event._tag === "JobStopped"
      )
      assert.strictEqual(rest.find((update) => update._tag === "Event")?.seq, number + 1)
    })))

  it.live("says that a job is gone, and goes on with the others", () =>
    withManager(Effect.gen(function*() {
      yield* submit("b")
      const updates = yield* readUntil({ job: "none" }, ({ _tag }) => _tag === "Counts")
      assert.deepStrictEqual(updates.filter(({ _tag }) => _tag === "Gone"), [{ _tag: "Gone", id: "none" }])
      const counts = updates.at(-1)
      assert.deepInclude(counts, { _tag: "Counts", ready: true })
    })))

  it.live("begins with no more than 500 jobs, those that stop before the latest", () =>
    withManager(Effect.gen(function*() {
      const processes = yield* Processes
      yield* submit("first")
      while (processes.get("first") === undefined) yield* Effect.yieldNow
      for (let n = 0; n < 600; n++) yield* submit(`n${n}`)
      const at = new Date(0).toISOString()
      processes.get("first")?.report({ _tag: "StopRequested", at, trigger: "deadline", mode: "drain" })
      const [overview] = yield* readUntil({}, ({ _tag }) => _tag === "Overview")
      if (overview?._tag !== "Overview") return assert.fail("it is no overview")
      assert.strictEqual(overview.jobs.length, 500)
      assert.isTrue(overview.shortened)
      assert.strictEqual(overview.jobs[0]?.id, "first")
      assert.isFalse(overview.jobs.some(({ id }) => id === "n50"))
      assert.isTrue(overview.jobs.some(({ id }) => id === "n599"))
    })))
})
