import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { once } from "node:events"
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Environment, JobManager, RemoteEnvironment } from "../../src/index.ts"
import type { Options } from "../../src/JobManager.ts"
import { findToken, isProof, LocalToken } from "../../src/manager/localToken.ts"
import greet from "./fixtures/greet.ts"
import { bin, Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"
import { temporaryFolder } from "../support/folder.ts"

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8)

/** Asks without a token, as another user of the machine would. */
const statusOf = async (url: string, init?: RequestInit): Promise<number> => (await fetch(url, init)).status

const submission = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ job: "greet", payload: { name: "Eve" } })
}

/** A folder for the records of managers, which the tests of this file alone use. */
const state = mkdtempSync(join(tmpdir(), "autostop-state-"))
process.env["XDG_STATE_HOME"] = state
const records = () => existsSync(join(state, "autostop")) ? readdirSync(join(state, "autostop")) : []
const recordOf = (url: string) => {
  const { port } = new URL(url)
  return join(state, "autostop", records().find((name) => name.endsWith(`-${port}.json`)) ?? assert.fail(url))
}

describe("a manager that was given no token", () => {
  it("is used by the commands of its user from any folder, and answers nobody else anything but its health", async () => {
    await using server = await Server.start()
    for (const path of ["/jobs", "/info", "/metrics", "/changes", "/jobs/x/logs"]) {
      assert.strictEqual(await statusOf(`${server.url}${path}`), 401, path)
    }
    assert.strictEqual(await statusOf(`${server.url}/jobs`, submission), 401)
    assert.strictEqual(await statusOf(`${server.url}/bundles/${"0".repeat(64)}`, { method: "PUT", body: "{}" }), 401)
    assert.strictEqual(await statusOf(`${server.url}/health/live`), 204)
    assert.strictEqual(await statusOf(`${server.url}/health/ready`), 204)
    const id = await server.submit({ name: "Ada" })
    await server.stopped(id)
    const local = server.url.replace("127.0.0.1", "localhost")
    const list = new Started([bin, "list", "--url", local])
    const [status, listed] = await Promise.all([server.run("status", id), list.ended()])
    assert.deepStrictEqual([status.code, listed], [0, 0], list.stderr)
    const printed = `${server.server.stdout}${server.server.stderr}`
    assert.notInclude(printed, server.token)
    assert.strictEqual(printed.split("\n").length, 2, printed)
    const record = recordOf(server.url)
    for (const path of [server.folder, join(state, "autostop")]) assert.strictEqual(modeOf(path), "700", path)
    const files = ["local.token", "jobs.db", "jobs.db-wal", "jobs.db-shm", "jobs.db-lock", "lock.db"]
    for (const file of [...files.map((name) => join(server.folder, name)), record]) {
      assert.strictEqual(modeOf(file), "600", file)
    }
    server.server.signal("SIGTERM")
    await server.server.ended()
    for (const file of [join(server.folder, "local.token"), record]) assert.isFalse(existsSync(file), file)
  })

  it("makes another token at each start, and its clients find the new one", async () => {
    await using server = await Server.start()
    const { port } = new URL(server.url)
    const before = server.token
    const client = RemoteEnvironment.layer({ url: server.url })
    await Effect.runPromise(
      Effect.gen(function*() {
        assert.strictEqual(yield* Environment.run(greet, { name: "Ada" }), "hello Ada")
        yield* Effect.promise(async () => {
          server.server.signal("SIGKILL")
          await server.server.ended()
          assert.strictEqual(findToken(server.url), undefined, "the token of a manager that has died is not sent")
          await server.again(["--port", port])
        })
        assert.notStrictEqual(server.token, before)
        assert.strictEqual(yield* Environment.run(greet, { name: "Ada" }), "hello Ada")
      }).pipe(Effect.provide(client))
    )
  })

  it("offers its token to its own program, as it does one that it was given", () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const start = (options: Partial<Options>) =>
        Effect.map(
          Layer.build(JobManager.layer({ jobs: [], port: 0, folder: join(folder, "data"), ...options })),
          Context.get(JobManager)
        )
      const statuses = (token: Redacted.Redacted | undefined, url: string) =>
        Effect.promise(() =>
          statusOf(`${url}/jobs`, {
            headers: token === undefined ? {} : { authorization: `Bearer ${Redacted.value(token)}` }
          })
        )
      const made = yield* Effect.scoped(Effect.gen(function*() {
        const { token, url } = yield* start({})
        assert.strictEqual(yield* statuses(token, url), 200)
        assert.strictEqual(yield* statuses(undefined, url), 401)
        return token
      }))
      assert.notInclude(String(made), Redacted.value(made ?? assert.fail("it has no token")))
      yield* Effect.scoped(Effect.gen(function*() {
        const given = Redacted.make("a token that was given")
        const { token, url } = yield* start({ tokens: [{ token: given, role: "operate" }] })
        assert.strictEqual(yield* statuses(token, url), 200)
        assert.strictEqual(yield* statuses(made, url), 401)
        assert.isUndefined(findToken(url))
        assert.isFalse(existsSync(join(folder, "data", "local.token")))
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const { token, url } = yield* start({ open: true })
        assert.isUndefined(token)
        assert.strictEqual(yield* statuses(undefined, url), 200)
      }))
      const refused = yield* Effect.flip(Effect.scoped(start({ open: true, host: "0.0.0.0" })))
      assert.strictEqual(refused.message, "open is true; expected false, because other machines can reach \"0.0.0.0\"")
    }))))

  it("says what to do if its user's programs cannot find the token", async () => {
    const home = mkdtempSync(join(tmpdir(), "autostop-state-"))
    writeFileSync(join(home, "autostop"), "a file, and no folder")
    await using server = await Server.start([], { XDG_STATE_HOME: home })
    const file = join(server.folder, "local.token")
    await server.server.said("programs of this user do not find the token by themselves")
    assert.include(server.server.stderr, `give them --token-file ${file}.`)
    const list = await server.run("list")
    assert.include(list.stderr, "the job manager requires a token; set AUTOSTOP_TOKEN, or give --token-file")
    assert.strictEqual((await server.run("list", "--token-file", file)).code, 0)
  })
})

describe("the record of a manager", () => {
  it("is none if others could have read or written it, if it is damaged, or if it is of another address", async () => {
    await using server = await Server.start()
    const record = recordOf(server.url)
    const text = readFileSync(record, "utf8")
    assert.strictEqual(findToken(server.url)?.token, server.token)
    const elsewhere = ["https://127.0.0.1", "http://127.0.0.2", "http://[::1]", "http://example.com", "http://10.0.0.1"]
    for (const origin of elsewhere) assert.isUndefined(findToken(`${origin}:${new URL(server.url).port}`), origin)
    for (const mode of [0o644, 0o620, 0o602, 0o640]) {
      chmodSync(record, mode)
      assert.isUndefined(findToken(server.url), mode.toString(8))
    }
    chmodSync(record, 0o600)
    for (
      const damaged of ["", "{", "null", "[]", text.slice(0, -3), "\0".repeat(1_000), text.replace(/\d+}$/, "1.5}")]
    ) {
      writeFileSync(record, damaged)
      assert.isUndefined(findToken(server.url), damaged)
    }
    // another process has the id of a manager that has died
    writeFileSync(record, text.replace(/"start":\d+/, "\"start\":1"))
    assert.isUndefined(findToken(server.url))
    writeFileSync(record, text)
    assert.strictEqual(findToken(server.url)?.token, server.token)
  })
})

describe("the token that a manager has made", () => {
  /** Who holds the port of a manager that lives, and answers as it likes. */
  const impostor = async (answer: (url: string) => string) => {
    const heard: Array<string> = []
    const server = createServer((request, response) => {
      heard.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`)
      response.setHeader("content-type", "application/json")
      response.end(answer(request.url ?? ""))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    return { heard, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() }
  }

  const nonceIn = (url: string) => new URL(url, "http://a").searchParams.get("nonce") ?? ""
  const answers: ReadonlyArray<readonly [what: string, answer: (url: string) => string | Promise<string>]> = [
    ["nothing", () => "[]"],
    ["the question", (url) => JSON.stringify({ proof: nonceIn(url) })],
    ["no text", () => "{\"proof\":{\"toString\":1}}"],
    ["no JSON", () => "<html>"]
  ]
  for (const [what, answer] of answers) {
    it(`is not sent to who holds its port and answers ${what}, nor is anything else`, async () => {
      await using manager = await Server.start()
      using server = await impostor((url) => String(answer(url)))
      const { port } = new URL(server.url)
      const record = recordOf(manager.url)
      const text = readFileSync(record, "utf8").replace(manager.url, server.url)
      writeFileSync(record.replace(new URL(manager.url).port, port), text, { mode: 0o600 })
      assert.strictEqual(findToken(server.url)?.token, manager.token)
      const submit = new Started([bin, "submit", "greet", "--payload", "{\"name\":\"a secret\"}", "--url", server.url])
      assert.strictEqual(await submit.ended(), 2)
      assert.include(submit.stderr, "is no job manager, or one of another version")
      assert.include(submit.stderr, "it did not prove that it is the manager of this user")
      assert.isNotEmpty(server.heard)
      for (const one of server.heard) assert.match(one, /^GET \/health\/proof\?nonce=[0-9a-f]{64} $/)
    })
  }

  it("is proved for one address and one question", async () => {
    await using manager = await Server.start()
    const found = findToken(manager.url) ?? assert.fail("there is none")
    const nonce = "0".repeat(64)
    const { proof } = await (await fetch(`${manager.url}/health/proof?nonce=${nonce}`)).json() as {
      readonly proof: string
    }
    assert.isTrue(isProof(found, nonce, proof))
    assert.isFalse(isProof(found, "1".repeat(64), proof))
    assert.isFalse(isProof({ ...found, url: "http://127.0.0.1:1" }, nonce, proof))
    assert.isFalse(isProof({ ...found, token: "another" }, nonce, proof))
    for (const nonce of ["", "0", "x".repeat(64)]) {
      assert.strictEqual(await statusOf(`${manager.url}/health/proof?nonce=${nonce}`), 400)
    }
    await using given = await Server.start([], { AUTOSTOP_TOKEN: "a token that was given" })
    assert.strictEqual(await statusOf(`${given.url}/health/proof?nonce=${nonce}`), 404)
  })

  it("is found no longer once its manager is about to stop to listen", () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const local = new LocalToken(folder)
      yield* Effect.addFinalizer(() => Effect.sync(() => local.remove()))
      local.publish("http://127.0.0.1:9")
      assert.isDefined(findToken("http://127.0.0.1:9"))
      local.unpublish()
      assert.isUndefined(findToken("http://127.0.0.1:9"))
      assert.isTrue(existsSync(join(folder, "local.token")))
    }))))
})

describe("an open manager", () => {
  it("is said to be open, and is refused together with a token or for other machines", async () => {
    await using server = await Server.start(["--open"])
    assert.include(server.server.stderr, "any user of this machine may run code as this user, because of --open.")
    assert.strictEqual(await statusOf(`${server.url}/jobs`, submission), 201)
    assert.isFalse(existsSync(join(server.folder, "local.token")))
    const serve = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
      new Started([bin, "serve", "--port", "0", "--data", join(server.folder, "other"), "--open", ...args], env)
    const started = [serve({ AUTOSTOP_TOKEN: "secret of this manager" }), serve({}, "--host", "0.0.0.0")]
    const codes = await Promise.all(started.map((one) => one.ended()))
    assert.deepStrictEqual(codes, [2, 2])
    assert.deepStrictEqual(started.map(({ stderr }) => stderr.trim()), [
      "autostop: --open is true; expected false, because tokens are given",
      "autostop: --open is true; expected false, because other machines can reach \"0.0.0.0\""
    ])
  })
})
