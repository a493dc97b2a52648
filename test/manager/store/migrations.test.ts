import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type JobConditions, JobStore } from "../../../src/manager/JobStore.ts"
import { add, databases, jobOf, stopped, withStore } from "../../support/store.ts"

describe.each(databases().kinds)("the tables in $kind", ({ fresh, query }) => {
  it.live("are created beside the tables of others", () =>
    Effect.gen(function*() {
      const url = fresh()
      query(url, "CREATE TABLE jobs (theirs INTEGER)")
      yield* withStore(url)(add(jobOf("a")))
      query(url, "INSERT INTO jobs VALUES (1)")
    }))

  it.live("are refused and left alone if a newer version has written them", () =>
    Effect.gen(function*() {
      const url = fresh()
      yield* withStore(url)(add(jobOf("a")))
      query(url, "INSERT INTO autostop_migrations (migration_id, name) VALUES (99, 'future')")
      const error = yield* Effect.flip(withStore(url)(add(jobOf("b"))))
      assert.strictEqual(error._tag, "StoreError")
      assert.match(error.message, /newer version of autostop .*version 99, this one knows 3\): update autostop/)
      assert.notInclude(error.message, "tester:")
      query(url, "DELETE FROM autostop_migrations WHERE migration_id = 99")
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        assert.deepEqual((yield* store.list({ limit: 10 })).map(({ id }) => id), ["a"])
      }))
    }))

  it.live("get the ends of jobs that a version without these columns has stored", () =>
    Effect.gen(function*() {
      const url = fresh()
      const reason = "it said \"outcome\":\"failed\" and \"clean\":false, \u0000"
      yield* withStore(url)(add(
        { ...jobOf("a"), info: stopped("a", 1, { trigger: "stopped", reason }) },
        { ...jobOf("b"), info: stopped("b", 2, { trigger: "lost", outcome: "failed", clean: false }) },
        jobOf("c")
      ))
      for (const name of ["outcome", "trigger", "unclean"]) query(url, `DROP INDEX autostop_jobs_${name}`)
      for (const name of ["outcome", "clean", "stop_trigger"]) {
        query(url, `ALTER TABLE autostop_jobs DROP COLUMN ${name}`)
      }
      query(url, "DELETE FROM autostop_migrations WHERE migration_id = 3")
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        const ids = (conditions: JobConditions) =>
          Effect.map(store.list({ limit: 10, ...conditions }), (jobs) => jobs.map(({ id }) => id))
        assert.deepStrictEqual(yield* ids({ outcome: "succeeded", clean: true, trigger: "stopped" }), ["a"])
        assert.deepStrictEqual(yield* ids({ outcome: "failed", clean: false, trigger: "lost" }), ["b"])
        assert.deepStrictEqual(yield* ids({ state: "queued" }), ["c"])
      }))
    }))

  it.live("may hold a value that cannot be read: its job fails to load, and others do not", () =>
    Effect.gen(function*() {
      const url = fresh()
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        yield* add(jobOf("a"), jobOf("b"))
        query(url, "UPDATE autostop_jobs SET info = '{\"id\":\"a\"}' WHERE id = 'a'")
        const error = yield* Effect.flip(store.get("a"))
        assert.include(error.message, "cannot read")
        assert.deepEqual(yield* store.get("b"), jobOf("b"))
      }))
    }))
})
