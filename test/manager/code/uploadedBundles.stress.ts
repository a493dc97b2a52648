import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Environment, RemoteEnvironment } from "autostop"
import { mkdtempSync, readdirSync, realpathSync } from "node:fs"
import { cp, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { hashOf, mismatch, versions } from "../../../src/manager/code/bundle.ts"
import { bundle } from "../../../src/manager/code/bundler.ts"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"
import brought from "../brought/job.ts"

const module = fileURLToPath(new URL("../brought/job.ts", import.meta.url))
const unbundled = fileURLToPath(new URL("../brought/unbundled.ts", import.meta.url))
const env = { SECRET_OF_THE_MANAGER: "yes" }

const submit = (server: Server, payload: object, ...args: ReadonlyArray<string>) =>
  server.run("submit", module, "--wait", "--payload", JSON.stringify(payload), ...args)

/** Submits the job from a program. */
const run = (server: Server, payload: { readonly name: string; readonly read?: string }, token?: string) =>
  Effect.runPromise(
    Effect.exit(Environment.run(brought, payload)).pipe(
      Effect.provide(RemoteEnvironment.layer({ url: server.url, token }))
    )
  )

const uploads = (server: Server) => readdirSync(join(server.folder, "bundles")).length

const put = (server: Server, content: string, hash = hashOf(content)) =>
  server.fetch(`/bundles/${hash}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: content
  })

describe("an uploaded job", () => {
  it("runs with all its files, without the manager's secrets, and with no permission that was not given", async () => {
    await using server = await Server.start([], env)
    const exit = await run(server, { name: "Ada", read: "/etc/passwd" })
    assert.deepStrictEqual(
      exit,
      Exit.succeed({
        greeting: "GOOD MORNING ADA!",
        count: 41,
        read: "ERR_ACCESS_DENIED",
        spawned: "ERR_ACCESS_DENIED",
        secret: false
      })
    )
    assert.strictEqual(uploads(server), 1)
  })

  it("is uploaded once, by programs and by the command", async () => {
    await using server = await Server.start([], env)
    const { code, stderr, stdout } = await submit(server, { name: "Ada" })
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /brought .* on remote: succeeded, clean/)
    assert.strictEqual((await submit(server, { name: "Bob" })).code, 0)
    assert.isTrue(Exit.isSuccess(await run(server, { name: "Cid" })))
    assert.strictEqual(uploads(server), 1)
  })

  it("may read, write and start what the manager allows", async () => {
    await using server = await Server.start(["--allow-read", "/etc/hostname", "--allow-processes"], env)
    const exit = await run(server, { name: "Ada", read: "/etc/hostname" })
    assert.isTrue(Exit.isSuccess(exit))
    if (Exit.isSuccess(exit)) {
      assert.notStrictEqual(exit.value.read, "ERR_ACCESS_DENIED")
      assert.strictEqual(exit.value.spawned, "0")
    }
  })

  it("is there for the next manager, also if only the store is left", async () => {
    await using server = await Server.start(["--concurrency", "1"], env)
    const waiting = server.submit({ name: "Ada", act: "wait" }, "--id", "wait")
    await waiting
    const queued = await server.run("submit", module, "--id", "it", "--payload", "{\"name\":\"Ada\"}")
    assert.strictEqual(queued.code, 0, queued.stderr)
    server.server.signal("SIGKILL")
    await server.server.ended()
    await rm(join(server.folder, "bundles"), { recursive: true })
    await server.again()
    await server.run("events", "-f", "it")
    assert.include(await server.info("it"), { outcome: "succeeded", clean: true })
  })

  it("runs if the packages of the manager are linked", async () => {
    const packages = dirname(dirname(realpathSync(createRequire(import.meta.url).resolve("effect/package.json"))))
    const folder = mkdtempSync(join(tmpdir(), "autostop-linked-"))
    try {
      const root = fileURLToPath(new URL("../../..", import.meta.url))
      for (const name of ["dist", "package.json"]) await cp(join(root, name), join(folder, name), { recursive: true })
      await symlink(packages, join(folder, "node_modules"))
      const serve = [join(folder, "dist", "bin.js"), "serve", "--port", "0", "--data", join(folder, "data")]
      const server = await new Started(serve, env).said("listens on")
      const url = /http:\/\/\S+/.exec(server.stdout)?.[0] ?? assert.fail(server.stdout)
      const submitted = new Started([bin, "submit", module, "--wait", "--payload", "{\"name\":\"Ada\"}", "--url", url])
      assert.strictEqual(await submitted.ended(), 0, submitted.stderr)
      server.signal("SIGTERM")
      await server.ended()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it("may have files of any name, and its manager a folder that is a link", async () => {
    const folder = mkdtempSync(join(tmpdir(), "autostop-link-"))
    try {
      await symlink(folder, join(folder, "a link"))
      const serve = [bin, "serve", "--port", "0", "--data", join(folder, "a link", "data")]
      const server = await new Started(serve).said("listens on")
      const url = /http:\/\/\S+/.exec(server.stdout)?.[0] ?? assert.fail(server.stdout)
      const odd = fileURLToPath(new URL("../brought/odd names.ts", import.meta.url))
      const submitted = new Started([bin, "submit", odd, "--id", "odd", "--wait", "--url", url])
      assert.strictEqual(await submitted.ended(), 0, submitted.stderr)
      const logs = new Started([bin, "logs", "odd", "--url", url])
      await logs.ended()
      assert.match(logs.stdout, /odd but there/)
      server.signal("SIGTERM")
      await server.ended()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it("is refused by a manager that runs only registered jobs", async () => {
    await using server = await Server.start(["--no-uploads"])
    const { code, stderr } = await submit(server, { name: "Ada" })
    assert.strictEqual(code, 2)
    assert.match(stderr, /takes no uploads: submit a job that is registered here, by its name/)
    assert.strictEqual((await put(server, "{}")).status, 400)
  })

  it("is refused before anything is sent if it cannot be bundled or its payload does not match", async () => {
    await using server = await Server.start()
    const broken = await server.run("submit", unbundled)
    assert.strictEqual(broken.code, 2)
    assert.match(broken.stderr, /missing\.ts/)
    const message = await Effect.runPromise(Effect.flip(bundle(unbundled)))
    assert.match(message, /unbundled\.ts cannot be bundled: .*missing\.ts/s)
    const payload = await submit(server, { name: 1 })
    assert.strictEqual(payload.code, 2)
    assert.match(payload.stderr, /Expected string.*\["name"\]/)
  })

  it("needs a token with the role operate", async () => {
    await using server = await Server.start([], { AUTOSTOP_TOKEN: "secret of this manager" })
    const exit = await run(server, { name: "Ada" }, "wrong")
    assert.isTrue(Exit.isFailure(exit))
    const without = await fetch(`${server.url}/bundles/${hashOf("{}")}`, { method: "PUT", body: "{}" })
    assert.strictEqual(without.status, 401)
    assert.isTrue(Exit.isSuccess(await run(server, { name: "Ada" }, "secret of this manager")))
  })
})

describe("an upload", () => {
  const bundleOf = (files: object, of = versions) => JSON.stringify({ versions: of, files })
  const cases: ReadonlyArray<readonly [what: string, content: string, hash: string | undefined, message: RegExp]> = [
    ["another hash", bundleOf({}), "0".repeat(64), /the SHA-256 of the content is [0-9a-f]{64}; expected 0{64}/],
    ["no JSON", "{", undefined, /the content is no bundle/],
    [
      "no entry",
      bundleOf({ "x.js": { text: "" } }),
      undefined,
      /has no file job\.js; expected one that exports the job/
    ],
    ["a path out of its folder", bundleOf({ "job.js": { text: "" }, "../x.js": { text: "" } }), undefined, /no bundle/],
    ["a folder", bundleOf({ "job.js": { text: "" }, "a/x.js": { text: "" } }), undefined, /no bundle/],
    ["no base64", bundleOf({ "job.js": { base64: "§" } }), undefined, /no bundle/],
    [
      "another version",
      bundleOf({ "job.js": { text: "" } }, { ...versions, effect: "3.0.0" }),
      undefined,
      /bundled for effect 3\.0\.0, and the manager has 4/
    ]
  ]

  it("is refused if it cannot be used, and the answer says why", async () => {
    await using server = await Server.start()
    for (const [what, content, hash, message] of cases) {
      const response = await put(server, content, hash)
      assert.strictEqual(response.status, 400, what)
      assert.match(await response.text(), message, what)
    }
    assert.strictEqual((await put(server, "{}", "../../x")).status, 404)
    const large = await put(server, "x".repeat(17 * 1024 * 1024))
    assert.strictEqual(large.status, 413)
  })

  it("is accepted if it was made with the same minor versions", () => {
    const ours = { autostop: "0.1.3", effect: "4.1.0" }
    assert.isUndefined(mismatch({ autostop: "0.1.0", effect: "4.1.9" }, ours))
    assert.match(mismatch({ autostop: "0.2.0", effect: "4.1.0" }, ours) ?? "", /autostop 0\.2\.0/)
  })
})
