import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { StoreError } from "../../../src/manager/errors.ts"
import { JobStore } from "../../../src/manager/JobStore.ts"
import { openStore } from "../../../src/manager/store/openStore.ts"
import * as pg from "../../../src/manager/store/postgres.ts"
import * as sqlite from "../../../src/manager/store/sqlite.ts"
import { layer as sqlStore } from "../../../src/manager/store/sqlStore.ts"
import { proxyOf } from "../../support/proxy.ts"
import { add, databases, eventsOf, jobOf, withStore } from "../../support/store.ts"

const { postgres, sqlite: folder } = databases()

/** Returns the message of the StoreError that an effect fails with. */
const refusal = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(self), (exit) => {
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    assert.instanceOf(error, StoreError, Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "it did not fail")
    if (Exit.isFailure(exit)) assert.isFalse(Cause.hasDies(exit.cause))
    return error.message
  })

const opened = (url: string) => refusal(withStore(url)(JobStore.use((store) => store.counts)))

/** Starts a process that locks a file until it is asked to release it. */
const locker = (path: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const program = `
        const database = new (require("node:sqlite").DatabaseSync)(${JSON.stringify(path)})
        database.exec("BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS theirs (x)")
        console.log("locked")
        process.stdin.on("data", () => process.exit())`
      const child = spawn(process.execPath, ["--no-warnings", "-e", program], { stdio: ["pipe", "pipe", "inherit"] })
      await once(child.stdout, "data")
      return {
        release: Effect.promise(async () => {
          child.stdin.write("go\n")
          if (child.exitCode === null) await once(child, "exit")
        }),
        child
      }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

describe("a store in SQLite whose file", () => {
  it.live("is locked by another process says so, and goes on once it is not", () =>
    Effect.gen(function*() {
      const path = folder.fresh()
      yield* withStore(path)(Effect.gen(function*() {
        const store = yield* JobStore
        yield* add(jobOf("a"))
        const other = yield* locker(path)
        let ticks = 0
        const ticking = setInterval(() => ticks++, 20)
        const message = yield* refusal(store.add(jobOf("b")))
        clearInterval(ticking)
        assert.include(message, `${path} is locked by another process`)
        assert.isAbove(ticks, 20, "the process had to wait too")
        assert.strictEqual((yield* store.list({ limit: 10 })).length, 1)
        const waiting = yield* Effect.forkChild(store.append("a", eventsOf(1, 2)))
        yield* Effect.sleep(100)
        yield* other.release
        yield* Fiber.join(waiting)
        assert.isTrue((yield* store.add(jobOf("b"))).isNew)
        assert.lengthOf(yield* store.events("a", 0, 10), 2)
      }))
    }).pipe(Effect.scoped))

  it.live("is locked while it is opened says so, or waits until it is not", () =>
    Effect.gen(function*() {
      const path = folder.fresh()
      const other = yield* locker(path)
      assert.include(yield* opened(path), "is locked by another process")
      const waiting = yield* Effect.forkChild(withStore(path)(add(jobOf("a"))))
      yield* Effect.sleep(300)
      yield* other.release
      assert.lengthOf(yield* Fiber.join(waiting), 1)
    }).pipe(Effect.scoped))

  it.live("has no room to grow says so, and goes on once it has", () =>
    Effect.gen(function*() {
      const path = folder.fresh()
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const store = yield* JobStore
        yield* add(jobOf("a"))
        yield* sql`PRAGMA max_page_count = 1`
        const message = yield* refusal(Effect.forEach([1, 1001, 2001], (n) => store.append("a", eventsOf(n, n + 999))))
        assert.include(message, `the disk of ${path} is full: free some space`)
        assert.deepEqual(yield* store.events("a", 2000, 1), [])
        yield* sql`PRAGMA max_page_count = 1000000`
        yield* store.append("a", eventsOf(1, 3000))
        assert.lengthOf(yield* store.events("a", 0, 5000), 3000)
      }).pipe(Effect.provide(
        Layer.unwrap(Effect.map(Layer.build(sqlite.layer(path)), (context) => {
          const client = Layer.succeedContext(context)
          return Layer.merge(client, sqlStore(sqlite.database(path), client))
        }))
      ))
    }))

  it.live("cannot be opened says why", () =>
    Effect.gen(function*() {
      assert.include(yield* opened(join(folder.folder, "no", "store.db")), "its folder has to exist")
      assert.include(yield* opened(folder.folder), "cannot be opened")
      const text = folder.fresh()
      writeFileSync(text, "this is a text, and not the pages of a database".repeat(100))
      assert.include(yield* opened(text), "no SQLite database")
    }))
})

describe("a store in PostgreSQL whose server", () => {
  it.live("crashes says so, and goes on once the server runs again", () =>
    Effect.gen(function*() {
      yield* withStore(postgres().fresh())(Effect.gen(function*() {
        const store = yield* JobStore
        yield* add(jobOf("a"))
        // in the middle of transactions too
        const writers = yield* Effect.forEach([1, 2, 3, 4], (n) =>
          Effect.forkChild(
            refusal(Effect.forever(store.append("a", eventsOf(n * 100_000, n * 100_000 + 1999))))
          ))
        yield* Effect.sleep(300)
        yield* Effect.promise(postgres().crash)
        for (const writer of writers) assert.include(yield* Fiber.join(writer), "postgres://tester@127.0.0.1:")
        assert.include(yield* refusal(store.add(jobOf("b"))), "start the server")
        assert.include(yield* refusal(store.counts), "start the server")
        yield* Effect.promise(postgres().restart)
        assert.isTrue((yield* store.add(jobOf("b"))).isNew)
        assert.deepEqual(yield* store.get("a"), jobOf("a"))
        for (const n of [1, 2, 3, 4]) {
          assert.strictEqual((yield* store.events("a", n * 100_000 - 1, 2000)).length % 2000, 0)
        }
      }))
    }))

  it.live("ends the sessions goes on with new ones", () =>
    Effect.gen(function*() {
      const url = postgres().fresh()
      yield* withStore(url)(Effect.gen(function*() {
        const store = yield* JobStore
        yield* Effect.all([store.counts, store.counts, store.counts], { concurrency: "unbounded" })
        postgres().query(
          postgres().url("postgres"),
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'autostop'"
        )
        yield* store.add(jobOf("a")).pipe(Effect.retry(Schedule.recurs(3)))
        assert.lengthOf(yield* store.list({ limit: 10 }), 1)
      }))
    }))

  it.live("is silent says so in time, also within a transaction, and goes on with new sessions", () =>
    Effect.gen(function*() {
      const url = postgres().fresh()
      const proxy = yield* proxyOf(url)
      const through = new URL(url)
      through.port = new URL(proxy.url).port
      yield* Effect.gen(function*() {
        const store = yield* JobStore
        yield* add(jobOf("a"))
        proxy.isSilent = true
        const messages = yield* Effect.all(
          [store.append("a", eventsOf(1, 2)), store.add(jobOf("b")), store.counts].map(refusal),
          { concurrency: "unbounded" }
        )
        for (const message of messages) assert.include(message, "has not answered for 0.5 s")
        proxy.isSilent = false
        proxy.cut()
        yield* store.append("a", eventsOf(1, 2)).pipe(Effect.retry(Schedule.spaced(50)), Effect.timeout(5_000))
        assert.lengthOf(yield* store.events("a", 0, 10), 2)
        // nor does a silent one keep the store from being closed
        proxy.isSilent = true
        yield* refusal(store.append("a", eventsOf(3, 3)))
      }).pipe(Effect.provide(sqlStore(pg.database(through), pg.layer(through, { _tag: "Never" }), 500)))
    }).pipe(Effect.scoped))

  it.live("cannot be used says what to do, and never the password", () =>
    Effect.gen(function*() {
      const secret = "s3cret-Wort"
      const url = postgres().url("postgres")
      const { host, port } = new URL(url)
      const cases: ReadonlyArray<readonly [url: string, message: string]> = [
        [`postgres://tester:${secret}@${host}/postgres`, "refuses this user or password"],
        [`postgres://nobody:${secret}@${host}/postgres`, "refuses this user or password"],
        [`postgres://tester:${secret}@127.0.0.1:1/postgres`, "start the server"],
        [`postgres://tester:${secret}@host.invalid:${port}/postgres`, "has a host"],
        [`postgres://tester:${secret}#@${host}/postgres`, "percent-encoded"],
        [`postgres://tester:12/${secret}@${host}/postgres`, "percent-encoded"],
        [`postgres://tester:12?${secret}@${host}/postgres`, "percent-encoded"],
        [`postgresql://tester:${secret}@${host}:x/postgres`, "percent-encoded"],
        [`postgres://tester:%${secret}@${host}/postgres`, "Invalid percent-encoding"],
        [`postgres://tester:${secret}@${host}/postgres?sslmode=require`, "TLS"]
      ]
      for (const [url, expected] of cases) {
        const message = yield* opened(url)
        assert.include(message, expected)
        assert.notInclude(message, secret)
      }
      assert.include(yield* opened(postgres().url("nothere")), "has no such database: create it")
      const bare = postgres().fresh()
      postgres().query(bare, "CREATE ROLE guest LOGIN PASSWORD 'guest'; REVOKE ALL ON SCHEMA public FROM PUBLIC")
      const guest = bare.replace(/tester:[^@]*@/, "guest:guest@")
      assert.include(yield* opened(guest), "grant it USAGE and CREATE")
      postgres().query(bare, "GRANT USAGE ON SCHEMA public TO guest")
      assert.include(yield* opened(guest), "grant it CREATE on the schema")
    }))
})

describe("a store of an unknown kind", () => {
  it.live("is refused", () =>
    Effect.gen(function*() {
      for (const url of ["", "sqlite:", ":memory:", "sqlite::memory:", "mysql://host/database", "file:///x"]) {
        assert.include(yield* refusal(Effect.scoped(Layer.build(openStore(url)))), "give the path of a file")
      }
    }))
})
