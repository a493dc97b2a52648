import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { openSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

describe("the commands for a job manager, if something is wrong", () => {
  let server: Server
  beforeAll(async () => void (server = await Server.start()))
  afterAll(() => server[Symbol.asyncDispose]())

  it("say in a line what is wrong with what they were given, and print nothing else", async () => {
    const stranger = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1")
    await once(stranger, "listening")
    // safe: it listens on a port
    const strange = `127.0.0.1:${(stranger.address() as AddressInfo).port}`
    const proxy = createServer((_, response) => response.writeHead(502).end("<html>")).listen(0, "127.0.0.1")
    await once(proxy, "listening")
    // safe: it listens on a port
    const refusing = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const large = join(server.folder, "large.json")
    writeFileSync(large, JSON.stringify("x".repeat(2_000_000)))
    const empty = join(server.folder, "empty")
    writeFileSync(empty, "\n", { mode: 0o600 })
    const shared = join(server.folder, "shared")
    writeFileSync(shared, "secret of this manager", { mode: 0o644 })
    const exits = fileURLToPath(new URL("../../manager/fixtures/exits.ts", import.meta.url))
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [[], /a command is missing; see "autostop --help"$/],
      [
        ["lsit"],
        /^autostop: Unknown subcommand "lsit" .*Did you mean (this|one of these)\?.*\blist\b.*\nautostop: see "autostop --help"$/
      ],
      [["status"], /^autostop: Missing required argument: id\nautostop: see "autostop status --help"$/],
      [["status", "nope"], /^autostop: there is no job nope: check the id; the job may have been removed$/],
      [["status", "../x"], /^autostop: Invalid value for argument <id>: "..\/x". Expected: 1 to 64 letters, digits, /],
      [["list", "--limit", "0"], /^autostop: Invalid value for flag --limit: "0". Expected: a number of at least 1/],
      [["list", "--state", "lost"], /^autostop: Invalid value for flag --state: "lost". Expected: "queued" \| /],
      [
        ["wait", "a", "--timeout", "soon"],
        /^autostop: Invalid value for flag --timeout: "soon". Expected: a duration, /
      ],
      [
        ["logs", "a", "--tail", "-1"],
        /^autostop: Invalid value for flag --tail: "-1". Expected: a number of at least 0/
      ],
      [["clean", "--older", "soon"], /^autostop: --older is "soon"; expected a duration, such as "12h" or "7d"$/],
      [["submit", "greet", "--payload", "@nope.json"], /^autostop: --payload @nope\.json cannot be read: ENOENT/],
      [["list", "--url", "ftp://there"], /^autostop: --url is "ftp:\/\/there"; expected an address such as http:/],
      [
        ["list", "--url", "127.0.0.1:9"],
        /^autostop: no job manager answers at http:\/\/127\.0\.0\.1:9; start one with/
      ],
      [["list", "--url", `${server.url}/below`], /below is no job manager, or one of another version; .*\(404 /],
      [
        ["list", "--url", strange],
        /^autostop: the server at http:\/\/127\.0\.0\.1:\d+ is no job manager, or one of another version; give its address with --url \(/
      ],
      [
        ["watch", "--url", strange],
        /^autostop: the server at http:\/\/127\.0\.0\.1:\d+ is no job manager, or one of another version; give its address with --url \(/
      ],
      [["events", "-f", "nope"], /^autostop: there is no job nope: check the id; the job may have been removed$/],
      [["list", "--token-file", "/nope"], /^autostop: --token-file \/nope cannot be read: ENOENT/],
      [
        ["list", "--token-file", shared],
        /^autostop: --token-file \S+ can be read by others \(mode 0644\): run chmod 600 on it$/
      ],
      [["list", "--token-file", empty], /^autostop: the token in --token-file \S+ is empty; a token must/],
      [
        ["list", "--url", refusing],
        /^autostop: a server between here and the job manager at \S+ answered in its place \(.*502/
      ],
      [
        ["submit", ""],
        /^autostop: the submission is not valid: Expected the name of a job: 1 to 256 characters, none .* at \["job"\]$/
      ],
      [
        ["submit", "greet", "--id", "a.b"],
        /^autostop: Invalid value for flag --id: "a.b". Expected: 1 to 64 letters, /
      ],
      [
        ["submit", "greet", "--priority", "1e999"],
        /^autostop: Invalid value for flag --priority: "1e999". Expected an integer/
      ],
      [
        ["submit", "greet", "--payload", `@${large}`],
        /^autostop: the body is larger than 1048576 bytes: send less, or start/
      ],
      [
        ["submit", "greet", "--payload", "[[1e999]]"],
        /^autostop: the submission is not valid: Expected JSON value at \["payload"\]$/
      ],
      [["submit", exits], /^autostop: the module .*exits\.ts could not be loaded: its process exited with code 0$/],
      [
        ["stop", "x", "--reason", "x".repeat(4_097)],
        /^autostop: Invalid value for flag --reason: "x+". Expected: at most 4096 char/
      ],
      [["serve", "--port", "99999"], /^autostop: --port is 99999; expected a whole number from 0 to 65535$/],
      [["serve", "--max-body", "big"], /^autostop: --max-body is "big"; expected a size of more than zero, such as /],
      [["serve", "--host", ""], /^autostop: the host is empty; expected an address such as 127\.0\.0\.1$/],
      [
        ["serve", "--store", "postgres://me:secret@127.0.0.1:1/jobs"],
        /^autostop: --store has a password, which others on this machine can see; give the URL in AUTOSTOP_STORE or --store-file$/
      ]
    ]
    await Promise.all(cases.map(async ([args, expected]) => {
      const started = new Started([bin, ...args], { AUTOSTOP_URL: server.url })
      assert.strictEqual(await started.ended(), 2, args.join(" "))
      assert.match(started.stderr.trim(), expected)
      assert.strictEqual(started.stdout, "")
    }))
    stranger.close()
    proxy.close()
  })

  it("exit with an error if their output cannot be written, or the module ends the process that loads it", async () => {
    const full = (...args: ReadonlyArray<string>) => {
      const child = spawn(process.execPath, [bin, ...args, "--url", server.url], {
        stdio: ["ignore", openSync("/dev/full", "w"), "ignore"]
      })
      return once(child, "close")
    }
    const codes = await Promise.all([full("list"), full("list", "--format", "json"), full("info"), full("health")])
    assert.deepStrictEqual(codes.map(([code]) => code), [1, 1, 1, 1])
    const run = new Started([bin, "run", fileURLToPath(new URL("../../manager/fixtures/exits.ts", import.meta.url))])
    assert.strictEqual(await run.ended(), 1)
    assert.match(run.stderr, /^autostop: the module \S*exits\.ts ended the process with code 0 while it was loaded$/m)
  })

  it("show a reason as text, whatever is in it", async () => {
    await server.post("/jobs", { id: "reasoned", job: "greet", payload: { name: "Ada", act: "wait" } })
    const reason = "\u001b[2J\nautostop: all is well\u009b31m"
    await server.post("/jobs/reasoned/stop", { mode: "cancel", reason })
    await server.stopped("reasoned")
    const shown = await Promise.all(["status", "report", "events"].map((name) => server.run(name, "reasoned")))
    for (const { stdout } of shown) {
      // oxlint-disable-next-line no-control-regex
      assert.notMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|^autostop:/m)
      assert.include(stdout, "\\u001b[2J")
      assert.include(stdout, "all is well\\u009b31m")
    }
    const json = await server.run("status", "reasoned", "--format", "json")
    assert.strictEqual(JSON.parse(json.stdout).reason, reason)
    await server.run("delete", "reasoned")
  })

  it("say what to do about a token that is missing or wrong", async () => {
    await using closed = await Server.start([], { AUTOSTOP_TOKEN: "secret of this manager" })
    const list = async (env: Record<string, string>) => {
      const started = new Started([bin, "list", "--url", closed.url], env)
      assert.strictEqual(await started.ended(), 2)
      return started.stderr.trim()
    }
    assert.strictEqual(
      await list({}),
      "autostop: the job manager requires a token; set AUTOSTOP_TOKEN, or give --token-file"
    )
    assert.strictEqual(
      await list({ AUTOSTOP_TOKEN: "guess" }),
      "autostop: the job manager does not know this token; set AUTOSTOP_TOKEN, or give --token-file"
    )
    const file = join(closed.folder, "token")
    writeFileSync(file, "secret of this manager\n", { mode: 0o600 })
    const right = new Started([bin, "list", "--url", closed.url, "--token-file", file])
    assert.strictEqual(await right.ended(), 0)
  })

  it("read tokens, addresses and stores without the white space around them, and refuse what cannot be one", async () => {
    await using closed = await Server.start([], { AUTOSTOP_TOKEN: " secret of this manager\r\n" })
    const answers = await Promise.all(["secret of this manager", "secret of this manager\n"].map(async (token) => {
      const list = new Started([bin, "list"], { AUTOSTOP_TOKEN: token, AUTOSTOP_URL: `${closed.url}\n` })
      return [await list.ended(), list.stderr]
    }))
    assert.deepStrictEqual(answers, [[0, ""], [0, ""]])
    const refused = await Promise.all([
      [{ AUTOSTOP_TOKEN: "" }, /^autostop: AUTOSTOP_TOKEN is empty; a token must have at least one character$/],
      [
        { AUTOSTOP_READ_TOKEN: "" },
        /^autostop: AUTOSTOP_READ_TOKEN is empty; a token must have at least one character$/
      ],
      [{ AUTOSTOP_STORE: "" }, /^autostop: the store is empty: give the path of a file/],
      [{ AUTOSTOP_TOKEN: "0123456789abcde" }, /^autostop: a token has 15 characters; expected at least 16, such as/],
      [{ AUTOSTOP_TOKEN: " \n" }, /^autostop: AUTOSTOP_TOKEN is empty; a token must have at least one character$/],
      [
        { AUTOSTOP_TOKEN: "two\nlines" },
        /^autostop: AUTOSTOP_TOKEN has a line end or a character beyond ASCII/
      ],
      [
        { AUTOSTOP_STORE: "mysql://me:hidden@host/jobs\n" },
        /^autostop: a store in mysql: is not supported: give the path/
      ]
    ].map(async ([env, expected], index) => {
      // safe: each case is a pair
      const serve = new Started(
        [bin, "serve", "--port", "0", "--data", join(closed.folder, `other-${index}`)],
        env as Record<string, string>
      )
      return [await serve.ended(), serve.stderr.trim(), expected as RegExp] as const
    }))
    for (const [code, stderr, expected] of refused) {
      assert.strictEqual(code, 2)
      assert.match(stderr, expected)
      assert.notInclude(stderr, "hidden")
    }
  })
})
