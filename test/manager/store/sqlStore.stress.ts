import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { JobStore } from "../../../src/manager/JobStore.ts"
import { add, databases, jobOf, withStore } from "../../support/store.ts"

describe.each(databases().kinds)("the indexes in $kind", ({ fresh, query }) => {
  it.live("let a manager with 100,000 stopped jobs start in 5 s", () =>
    Effect.gen(function*() {
      const url = fresh()
      const count = 100_000
      yield* withStore(url)(add(jobOf("queued"), jobOf("running", { state: "running" })))
      const time = url.startsWith("postgres")
        ? `to_char(timestamp '2025-01-01' + n * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS.000"Z"')`
        : `strftime('%Y-%m-%dT%H:%M:%S.000Z', 1735689600 + n, 'unixepoch')`
      query(
        url,
        `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count}),
        jobs(n, at) AS (SELECT n, ${time} FROM numbers)
        INSERT INTO autostop_jobs (id, job, state, submitted_at, stopped_at, info, submission)
        SELECT 'job-' || n, 'flights', 'stopped', at, at,
          '{"id":"job-' || n || '","job":"flights","state":"stopped","priority":0,"submittedAt":"' || at ||
          '","stoppedAt":"' || at || '","outcome":"succeeded","clean":true}', '{"job":"flights"}' FROM jobs`
      )
      const begun = performance.now()
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        assert.deepEqual((yield* store.unfinished).map(({ info }) => info.id), ["queued", "running"])
        assert.deepEqual(yield* store.counts, { queued: 1, starting: 0, running: 1, stopping: 0, stopped: count })
        const at = "2025-01-01T13:53:20.000Z"
        const page = yield* store.list({ limit: 50 })
        assert.deepEqual(page.slice(0, 3).map(({ id }) => id), ["running", "queued", `job-${count}`])
        assert.lengthOf(
          yield* store.list({
            state: "stopped",
            job: "flights",
            limit: 50,
            before: { submittedAt: at, id: "job-50000" }
          }),
          50
        )
        assert.lengthOf(yield* store.list({ state: "running", job: "flights", limit: 50 }), 1)
        assert.lengthOf(yield* store.list({ prefix: "job-9999", limit: 2 }), 2)
      }))
      assert.isBelow(performance.now() - begun, 5_000)
    }))
})
