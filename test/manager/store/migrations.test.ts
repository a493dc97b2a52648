import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { JobStore } from "../../../src/manager/JobStore.ts"
import { add, databases, jobOf, withStore } from "../../support/store.ts"

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
      assert.match(error.message, /newer version of autostop .*version 99, this one knows 2\): update autostop/)
      assert.notInclude(error.message, "tester:")
      query(url, "DELETE FROM autostop_migrations WHERE migration_id = 99")
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        assert.deepEqual((yield* store.list({ limit: 10 })).map(({ id }) => id), ["a"])
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
