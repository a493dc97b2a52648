import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Environment, JobManager, type JobManagerError, RemoteEnvironment } from "../src/index.ts"
import type { Options } from "../src/JobManager.ts"
import echo from "./manager/fixtures/echo.ts"
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
      for (const port of [-1, 65_536, 1.5, NaN]) {
        const message = yield* refused("settings", optionsOf(folder, { port }))
        assert.include(message, `port is ${port}; expected a whole number from 0 to 65535`)
      }
      for (
        const requests of [{ body: "much" }, { upload: 0 }, { connections: 0 }] as ReadonlyArray<Options["requests"]>
      ) {
        assert.match(yield* refused("settings", optionsOf(folder, { requests })), /^requests\.\w+ is .*; expected a /)
      }
      assert.include(
        yield* refused("settings", optionsOf(folder, { folder: " " })),
        "folder is \" \"; expected the path of"
      )
    })))

  it.live("runs each payload that it takes, and refuses one that nothing could read", () =>
    Effect.scoped(Effect.gen(function*() {
      const { url } = yield* Effect.map(
        Layer.build(JobManager.layer(optionsOf(yield* temporaryFolder, { jobs: [fixture("echo")] }))),
        Context.get(JobManager)
      )
      const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`
      const post = (payload: string, id: string) =>
        Effect.promise(() =>
          fetch(`${url}/jobs`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: `{"job":"echo","id":"${id}","payload":${payload}}`
          })
        )
      const taken = ["\"\\u0000\\ud800\"", "[]", "{\"__proto__\":1}", "1e-999", nested(499), nested(500)]
      yield* Effect.forEach(taken, (payload, index) =>
        Effect.gen(function*() {
          const id = `taken-${index}`
          assert.strictEqual((yield* post(payload, id)).status, 201, payload)
          yield* Effect.promise(async () => (await fetch(`${url}/jobs/${id}/events?follow=true`)).text())
          const result = yield* Effect.promise(async () => (await fetch(`${url}/jobs/${id}/result`)).text())
          assert.include(result, JSON.stringify({ exit: { _tag: "Success", value: JSON.parse(payload) } }).slice(0, -1))
        }), { concurrency: 2 })
      for (const levels of [501, 3_200, 100_000]) {
        const response = yield* post(nested(levels), `deep-${levels}`)
        assert.deepStrictEqual([response.status, yield* Effect.promise(() => response.json())], [400, {
          _tag: "Refused",
          message: "the body is not valid: Expected JSON of at most 500 levels at [\"payload\"]"
        }])
        const here = yield* Effect.flip(
          Effect.provide(Environment.run(echo, JSON.parse(nested(levels))), RemoteEnvironment.layer({ url }))
        )
        assert.deepInclude(here, { _tag: "SubmitError", reason: "payload" })
      }
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
