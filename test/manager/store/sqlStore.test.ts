import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, type Schema } from "effect"
import { StopReport } from "../../../src/index.ts"
import { type JobConditions, JobStore } from "../../../src/manager/JobStore.ts"
import { JobInfo } from "../../../src/manager/models.ts"
import { add, at, databases, eventsOf, infoOf, jobOf, resultOf, stopped, withStore } from "../../support/store.ts"

const all = { limit: 1000 }

describe.each(databases().kinds)("the store in $kind", ({ fresh }) => {
  /** A test with an empty store. */
  const test = (name: string, body: Effect.Effect<void, unknown, JobStore>) =>
    it.live(name, () => Effect.suspend(() => withStore(fresh())(body)))

  test(
    "adds one job for an id, also if the submissions differ",
    Effect.gen(function*() {
      const store = yield* JobStore
      const job = jobOf("a", {}, { text: "\u0000 ä 'x' \ud800", deep: [{ n: 1e300 }] })
      assert.deepEqual(yield* store.add(job), { stored: job, isNew: true })
      assert.deepEqual(yield* store.add(job), { stored: job, isNew: false })
      const other = jobOf("a", { job: "trains", submittedAt: at(5) }, "other")
      assert.deepEqual(yield* store.add(other), { stored: job, isNew: false })
      const stored = yield* store.get("a")
      assert.deepEqual(stored, job)
      assert.instanceOf(stored?.info, JobInfo)
      assert.isUndefined(yield* store.get("b"))
    })
  )

  test(
    "adds one job if many are added with one id at once",
    Effect.gen(function*() {
      const store = yield* JobStore
      const added = yield* Effect.all(
        Array.from({ length: 20 }, (_, payload) => store.add(jobOf("a", {}, payload))),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(added.filter(({ isNew }) => isNew), 1)
      assert.lengthOf(new Set(added.map(({ stored }) => stored.submission.payload)), 1)
    })
  )

  test(
    "adds each of many at once, except those that it cannot hold",
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* store.addBundle({ hash: "b".repeat(64), content: "{}", uploadedAt: at(0) })
      const withBundle = (id: string, bundle: string) => {
        const { info, submission } = jobOf(id)
        return { info, submission: { ...submission, bundle } }
      }
      let deep: Schema.Json = null
      for (let level = 0; level < 100_000; level++) deep = [deep]
      const [good, missing, nested] = [
        withBundle("good", "b".repeat(64)),
        withBundle("missing", "a".repeat(64)),
        jobOf("nested", {}, deep)
      ]
      yield* add(jobOf("before"))
      const jobs = [...Array.from({ length: 600 }, (_, n) => jobOf(`j${n}`, {}, n)), jobOf("before", {}, 1)]
      const exits = yield* Effect.forEach([missing, ...jobs, nested, good], (job) => Effect.exit(store.add(job)), {
        concurrency: "unbounded"
      })
      const failed = exits.flatMap((exit, index) => Exit.isFailure(exit) ? [[index, Cause.squash(exit.cause)]] : [])
      assert.deepStrictEqual(failed.map(([index]) => index), [0, 602])
      for (const [, error] of failed) assert.propertyVal(error, "ofValue", true)
      const isNew = exits.flatMap((exit) => Exit.isSuccess(exit) ? [exit.value.isNew] : [])
      assert.deepStrictEqual(isNew.flatMap((isNew, index) => isNew ? [] : [index]), [600])
      assert.strictEqual((yield* store.counts).queued, 602)
      assert.deepEqual(yield* store.get("good"), good)
      assert.deepEqual((yield* store.get("j599"))?.submission.payload, 599)
    })
  )

  test(
    "lists the latest first, by pages",
    Effect.gen(function*() {
      const store = yield* JobStore
      // pairs of one time, which their ids tell apart
      const ids = ["a", "B", "c", "d", "e_", "e-", "g"]
      yield* add(...ids.map((id, index) => jobOf(id, { submittedAt: at(Math.floor(index / 2)) })))
      const expected = ["g", "e_", "e-", "d", "c", "a", "B"]
      assert.deepEqual((yield* store.list(all)).map(({ id }) => id), expected)
      const paged: Array<JobInfo> = []
      while (true) {
        const page = yield* store.list({ limit: 2, before: paged.at(-1) })
        if (page.length === 0) break
        paged.push(...page)
      }
      assert.deepEqual(paged.map(({ id }) => id), expected)
    })
  )

  test(
    "goes on at the place of a job that was removed meanwhile",
    Effect.gen(function*() {
      const store = yield* JobStore
      for (const id of ["a", "b", "c", "d", "e"]) yield* add(jobOf(id, { submittedAt: at(1) }))
      const [, last] = yield* store.list({ limit: 2 })
      assert.strictEqual(last?.id, "d")
      yield* store.finish(stopped("d", 2), resultOf("d"))
      assert.isTrue(yield* store.remove("d"))
      assert.deepEqual((yield* store.list({ limit: 9, before: last })).map(({ id }) => id), ["c", "b", "a"])
    })
  )

  test(
    "lists by state and by job",
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* add(
        jobOf("a", { submittedAt: at(1) }),
        jobOf("b", { submittedAt: at(2), state: "running" }),
        jobOf("c", { submittedAt: at(3), state: "running", job: "trains" }),
        jobOf("d", { submittedAt: at(4), state: "running" })
      )
      const ids = (filter: object) =>
        Effect.map(store.list({ ...all, ...filter }), (infos) => infos.map(({ id }) => id))
      assert.deepEqual(yield* ids({ state: "running" }), ["d", "c", "b"])
      assert.deepEqual(yield* ids({ job: "flights" }), ["d", "b", "a"])
      assert.deepEqual(yield* ids({ job: "flights", state: "running", before: { submittedAt: at(4), id: "d" } }), ["b"])
      assert.deepEqual(yield* ids({ job: "' OR 1=1 --" }), [])
      assert.deepEqual(yield* ids({ job: "\0" }), [])
    })
  )

  test(
    "lists and counts by how jobs ended, by time and by text",
    Effect.gen(function*() {
      const store = yield* JobStore
      const submitted = (second: number) => ({ submittedAt: at(second) })
      const ended = (id: string, second: number, more: Parameters<typeof stopped>[2]) => ({
        ...jobOf(id, {}),
        info: stopped(id, 50, { ...submitted(second), ...more })
      })
      yield* add(
        ended("One", 1, { trigger: "completed" }),
        ended("two", 2, { trigger: "lost", outcome: "failed", clean: false, job: "Trains % _ Ä" }),
        ended("three", 3, { trigger: "failed", outcome: "failed" }),
        jobOf("four", submitted(4))
      )
      yield* store.update(infoOf("four", { ...submitted(4), state: "stopping", trigger: "stopped" }))
      const ids = (filter: JobConditions) =>
        Effect.gen(function*() {
          const found = (yield* store.list({ ...all, ...filter })).map(({ id }) => id)
          const counts = yield* store.countsOf(filter)
          assert.strictEqual(Object.values(counts).reduce((a, b) => a + b), found.length, JSON.stringify(filter))
          return found
        })
      assert.deepStrictEqual(yield* ids({ outcome: "failed" }), ["three", "two"])
      assert.deepStrictEqual(yield* ids({ outcome: "failed", clean: true }), ["three"])
      assert.deepStrictEqual(yield* ids({ clean: false }), ["two"])
      assert.deepStrictEqual(yield* ids({ clean: true, trigger: "completed" }), ["One"])
      assert.deepStrictEqual(yield* ids({ trigger: "stopped" }), ["four"])
      assert.deepStrictEqual(yield* ids({ since: at(3) }), ["four", "three"])
      assert.deepStrictEqual(yield* ids({ since: at(2), outcome: "failed", state: "stopped" }), ["three", "two"])
      assert.deepStrictEqual(yield* ids({ text: "ONE" }), ["One"])
      assert.deepStrictEqual(yield* ids({ text: "trains % _ Ä" }), ["two"])
      for (const text of ["ä", "%", "_", "'", "\\", "\0", "zzz"]) {
        assert.lengthOf(yield* ids({ text }), text === "%" || text === "_" ? 1 : 0, text)
      }
      assert.lengthOf(yield* ids({ text: "" }), 4)
      assert.deepStrictEqual(yield* store.countsOf({ outcome: "failed" }), {
        queued: 0,
        starting: 0,
        running: 0,
        stopping: 0,
        stopped: 2
      })
      // a page goes on where the one before it ended
      const [last] = yield* store.list({ outcome: "failed", limit: 1 })
      const next = yield* store.list({ outcome: "failed", limit: 9, before: last })
      assert.deepStrictEqual(next.map(({ id }) => id), ["two"])
    })
  )

  test(
    "finds ids by their prefix",
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* add(...["ab", "aB", "abc", "a_", "b", "abz-9"].map((id) => jobOf(id)))
      const ids = (prefix: string, limit = 10) =>
        Effect.map(store.list({ prefix, limit }), (infos) => infos.map(({ id }) => id).toSorted())
      assert.deepEqual(yield* ids("ab"), ["ab", "abc", "abz-9"])
      assert.lengthOf(yield* ids("ab", 2), 2)
      assert.deepEqual(yield* ids("a_"), ["a_"])
      assert.lengthOf(yield* ids(""), 6)
      assert.deepEqual(yield* ids("%"), [])
      assert.deepEqual(yield* ids("a\0"), [])
    })
  )

  test(
    "appends each event once, and returns those after a number",
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* add(jobOf("a"), jobOf("b"))
      yield* store.append("a", [])
      yield* store.append("a", eventsOf(1, 2500))
      yield* store.append("a", eventsOf(2400, 2600))
      yield* store.append("b", eventsOf(1, 1))
      yield* store.append("nobody", eventsOf(1, 1))
      assert.deepEqual(yield* store.events("a", 0, 10_000), eventsOf(1, 2600))
      assert.deepEqual(yield* store.events("a", 2598, 10), eventsOf(2599, 2600))
      assert.deepEqual(yield* store.events("a", 10, 3), eventsOf(11, 13))
      assert.deepEqual(yield* store.events("b", 0, 10), eventsOf(1, 1))
      assert.deepEqual(yield* store.events("nobody", 0, 10), [])
    })
  )

  test(
    "updates a job that has not stopped, and finishes it once",
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* add(jobOf("a"))
      const running = infoOf("a", { state: "running", startedAt: at(1), pid: 7 })
      yield* store.update(running)
      assert.deepEqual((yield* store.get("a"))?.info, running)
      assert.isUndefined(yield* store.result("a"))
      const last = stopped("a", 2, { reason: "\u0000" })
      yield* store.update(running, eventsOf(1, 1))
      yield* store.finish(last, resultOf("a"), eventsOf(2, 3))
      yield* store.update(running)
      yield* store.finish(stopped("a", 9), resultOf("a", "other"), eventsOf(4, 4))
      assert.deepEqual(yield* store.events("a", 0, 10), eventsOf(1, 3))
      assert.deepEqual((yield* store.get("a"))?.info, last)
      const result = yield* store.result("a")
      assert.deepEqual(result, resultOf("a"))
      assert.instanceOf(result?.report, StopReport)
      // a job that was removed in the meantime stays away
      yield* store.update(infoOf("nobody"), eventsOf(1, 1))
      yield* store.finish(stopped("nobody", 1), resultOf("nobody"), eventsOf(1, 1))
      assert.isUndefined(yield* store.result("nobody"))
      assert.isUndefined(yield* store.get("nobody"))
    })
  )

  test(
    "removes a job that has stopped, with all that belongs to it",
    Effect.gen(function*() {
      const store = yield* JobStore
      yield* add(jobOf("a"))
      yield* store.append("a", eventsOf(1, 3))
      assert.isFalse(yield* store.remove("a"))
      yield* store.finish(stopped("a", 1), resultOf("a"))
      assert.isTrue(yield* store.remove("a"))
      assert.isFalse(yield* store.remove("a"))
      assert.isUndefined(yield* store.get("a"))
      assert.isUndefined(yield* store.result("a"))
      // nor is it there for the next one of this id
      yield* add(jobOf("a"))
      assert.deepEqual(yield* store.events("a", 0, 10), [])
    })
  )

  test(
    "removes those that stopped before a time",
    Effect.gen(function*() {
      const store = yield* JobStore
      const count = 1203
      yield* add(...Array.from({ length: count }, (_, index) => ({
        ...jobOf(`s${index}`),
        info: stopped(`s${index}`, index)
      })))
      yield* add(jobOf("running", { state: "running" }))
      assert.strictEqual((yield* store.removeStopped(at(count - 1))).length, count - 1)
      assert.deepStrictEqual(yield* store.removeStopped(at(count - 1)), [])
      assert.deepEqual((yield* store.list(all)).map(({ id }) => id).toSorted(), ["running", `s${count - 1}`])
    })
  )

  test(
    "returns when the nth-last job stopped, so that as many are kept",
    Effect.gen(function*() {
      const store = yield* JobStore
      for (const second of [3, 1, 2]) {
        const id = `s${second}`
        yield* add({ info: stopped(id, second), submission: jobOf(id).submission })
      }
      yield* add(jobOf("running", { state: "running" }))
      const times = yield* Effect.forEach([1, 2, 3, 4], (place) => store.stoppedAt(place))
      assert.deepStrictEqual(times, [at(3), at(2), at(1), undefined])
    })
  )

  test(
    "keeps a bundle as long as a job uses it",
    Effect.gen(function*() {
      const store = yield* JobStore
      const [used, unused, late] = ["a".repeat(64), "b".repeat(64), "c".repeat(64)] as const
      const upload = (hash: string, second = 0, content = `{"é":"${hash}"}`) =>
        store.addBundle({ hash, content, uploadedAt: at(second) })
      yield* Effect.all([upload(used), upload(unused), upload(late, 9)])
      yield* upload(used, 0, "something else")
      assert.strictEqual(yield* store.bundle(used), `{"é":"${used}"}`)
      assert.isUndefined(yield* store.bundle("d".repeat(64)))
      const { info, submission } = jobOf("s1")
      yield* add({ info, submission: { ...submission, bundle: used } })
      const bytes = yield* store.bundleBytes(unused)
      assert.strictEqual(
        (yield* store.bundleBytes("none")) - bytes,
        Buffer.byteLength((yield* store.bundle(unused)) ?? "")
      )
      assert.deepStrictEqual(yield* store.removeBundles(at(5)), [unused])
      assert.strictEqual(yield* store.bundleBytes("none"), bytes)
      yield* store.finish(stopped("s1", 1), resultOf("s1"))
      assert.deepStrictEqual(yield* store.removeBundles(at(5)), [])
      yield* store.removeStopped(at(5))
      assert.deepStrictEqual(yield* store.removeBundles(at(5)), [used])
      // a job cannot have what is not there any more
      const gone = yield* Effect.flip(
        add({ ...jobOf("s2"), submission: { ...submission, id: "s2", bundle: used } })
      )
      assert.strictEqual(gone._tag, "StoreError")
    })
  )

  test(
    "returns the jobs that have not stopped, and counts all",
    Effect.gen(function*() {
      const store = yield* JobStore
      const none = { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 }
      assert.deepEqual(yield* store.counts, none)
      assert.deepEqual(yield* store.unfinished, [])
      const jobs = (["queued", "starting", "running", "stopping", "queued"] as const)
        .map((state, index) => jobOf(`j${index}`, { state, submittedAt: at(index) }, index))
      yield* add(...jobs.toReversed(), jobOf("done"))
      yield* store.finish(stopped("done", 1), resultOf("done"))
      assert.deepEqual(yield* store.unfinished, jobs)
      assert.deepEqual(yield* store.counts, { queued: 2, starting: 1, running: 1, stopping: 1, stopped: 1 })
    })
  )

  it.live("has everything when it is opened again", () =>
    Effect.gen(function*() {
      const url = fresh()
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        yield* add(jobOf("a"), jobOf("b"))
        yield* store.append("a", eventsOf(1, 3))
        yield* store.finish(stopped("a", 1), resultOf("a"))
      }))
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        assert.deepEqual((yield* store.get("a"))?.info, stopped("a", 1))
        assert.deepEqual(yield* store.events("a", 0, 10), eventsOf(1, 3))
        assert.deepEqual(yield* store.result("a"), resultOf("a"))
        assert.deepEqual(yield* store.unfinished, [jobOf("b")])
      }))
    }))

  it.live("can be used by several managers, one after the other, from an empty database on", () =>
    Effect.gen(function*() {
      const url = fresh()
      const each = 50
      const user = (name: string) =>
        withStore(url)(Effect.gen(function*() {
          const store = yield* JobStore
          const added = yield* Effect.forEach(
            Array.from({ length: each }, (_, index) => `j${index}`),
            (id) =>
              Effect.gen(function*() {
                const { isNew } = yield* store.add(jobOf(id, {}, name))
                yield* store.append(id, eventsOf(1, 3))
                yield* store.finish(stopped(id, 1), resultOf(id, name))
                return isNew
              }),
            { concurrency: 4 }
          )
          assert.strictEqual((yield* store.counts).stopped, each)
          return added.filter((isNew) => isNew).length
        }))
      const added = yield* Effect.forEach(["x", "y", "z"], user)
      assert.strictEqual(added.reduce((sum, count) => sum + count), each)
    }))
})
