import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Environment, JobManager, type JobManagerError, RemoteEnvironment } from "../src/index.ts"
import type { Options } from "../src/JobManager.ts"
import greet from "./manager/fixtures/greet.ts"
import { temporaryFolder } from "./support/folder.ts"

const fixture = (name: string) => new URL(`./manager/fixtures/${name}.ts`, import.meta.url)
const optionsOf = (folder: string, options: Partial<Options> = {}): Options => ({
  jobs: [],
  port: 0,
  folder: join(folder, "data"),
  ...options
})

/** Asserts that a manager does not start, and returns the message of its error. */
const refused = (reason: JobManagerError["reason"], options: Options) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(JobManager.layer(options)))), (error) => {
    assert.deepInclude(error, { _tag: "JobManagerError", reason })
    return error.message
  })

describe("JobManager", () => {
  it.live("runs the jobs of its modules, and says which they are", () =>
    Effect.scoped(Effect.gen(function*() {
      const options = optionsOf(yield* temporaryFolder, { jobs: [fixture("greet")] })
      yield* Effect.provide(
        Effect.gen(function*() {
          const { jobs, url } = yield* JobManager
          assert.deepStrictEqual(jobs, ["greet"])
          const said = Effect.provide(Environment.run(greet, { name: "Ada" }), RemoteEnvironment.layer({ url }))
          assert.strictEqual(yield* said, "hello Ada")
        }),
        JobManager.layer(options)
      )
    })))

  it.live("fails with the reason settings for an option that cannot be used", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const message = yield* refused("settings", optionsOf(folder, { concurrency: 0 }))
      assert.include(message, "concurrency is 0; expected a whole number of at least 1")
      assert.include(yield* refused("settings", optionsOf(folder, { keep: { age: -1 } })), "keep.age is -1")
    })))

  it.live("fails with the reason module if there is no job, or two have one name", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const broken = yield* refused("module", optionsOf(folder, { jobs: [fixture("broken")] }))
      assert.match(broken, /broken\.ts could not be loaded: TypeError: bad config/)
      const twice = { jobs: [fixture("greet"), fixture("greet")] }
      assert.include(yield* refused("module", optionsOf(folder, twice)), "two modules export a job named \"greet\"")
    })))

  it.live("fails with the reason folder if it cannot be written, or another manager works in it", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "file"), "")
      const file = optionsOf(folder, { folder: join(folder, "file") })
      assert.include(yield* refused("folder", file), "cannot be written")
      yield* Layer.build(JobManager.layer(optionsOf(folder)))
      assert.match(yield* refused("folder", optionsOf(folder)), /^another job manager works in the folder .*: stop it/)
    })))

  it.live("fails with the reason store if it cannot be opened", () =>
    Effect.scoped(Effect.gen(function*() {
      const message = yield* refused("store", optionsOf(yield* temporaryFolder, { store: "mysql://host/jobs" }))
      assert.include(message, "a store in mysql: is not supported: give the path of a file, or a postgres:// URL")
    })))

  it.live("fails with the reason address if it is taken, or is reachable and there are no tokens", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const open = yield* refused("address", optionsOf(folder, { host: "0.0.0.0" }))
      assert.include(open, "other machines can reach \"0.0.0.0\": give a token, or listen on a loopback address")
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => {
            const address = server.address()
            resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0))
          }).unref()
        }),
        () => Effect.void
      )
      assert.include(
        yield* refused("address", optionsOf(folder, { port })),
        `another process listens on 127.0.0.1:${port}`
      )
    })))
})
