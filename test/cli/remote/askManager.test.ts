import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { bin, Started } from "../../support/cli.ts"
import { Proxy } from "../../support/proxy.ts"
import { Server } from "../../support/cliServer.ts"

describe("the commands for a job manager", () => {
  let server: Server
  beforeAll(async () => void (server = await Server.start(["--concurrency", "8"])))
  afterAll(() => server[Symbol.asyncDispose]())

  /** Submits without a command line, which takes a while to start. */
  const submit = async (id: string, act?: "wait") => {
    const response = await server.fetch("/jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id, job: "greet", payload: { name: "Ada", act } })
    })
    assert.strictEqual(response.status, 201)
  }
  /** Waits until it has stopped. */
  const stopped = async (id: string) => void await (await server.fetch(`/jobs/${id}/events?follow=true`)).text()
  const command = (...args: ReadonlyArray<string>) => new Started([bin, ...args, "--url", server.url])

  it("take an address without a scheme, and the beginning of a random id, of which a table shows enough", async () => {
    const random = await server.submit({ name: "Ada" })
    await Promise.all(["night-1", "night-2"].map((id) => submit(id)))
    const list = new Started([bin, "list", "--url", server.url.replace("http://", "")])
    assert.strictEqual(await list.ended(), 0)
    const ids = list.stdout.split("\n").map((line) => line.split(" ")[0])
    assert.includeMembers(ids, [random.slice(0, 8), "night-1", "night-2"])
    assert.match((await server.run("status", random.slice(0, 8))).stdout, /^id +[0-9a-f-]{36}$/m)
    assert.match((await server.run("status", "night-1")).stdout, /^id +night-1$/m)
  })

  it("show the result of a job, and say what does not fit in one, as a run here does", async () => {
    const greeted = await server.run("submit", "greet", "--payload", "{\"name\":\"Ada\"}", "--id", "greeted", "--wait")
    assert.strictEqual(greeted.code, 0)
    assert.match(greeted.stdout, /^Result: "hello Ada"$/m)
    const [plain, json] = await Promise.all([
      server.run("result", "greeted"),
      server.run("result", "greeted", "--format", "json")
    ])
    assert.deepStrictEqual(plain, { code: 0, stdout: "\"hello Ada\"", stderr: "" })
    assert.deepStrictEqual(JSON.parse(json.stdout), { _tag: "Success", value: "hello Ada" })
    const misfit = fileURLToPath(new URL("../../manager/fixtures/misfit.ts", import.meta.url))
    const message = "the result of \"misfit\" does not fit its Schema: Expected JSON value at [\"rows\"][0][\"mean\"]"
    const restarts = ["--restart", "fixed", "--restart-delay", "1ms", "--restart-times", "1"]
    const here = new Started([bin, "run", misfit])
    const there = command("submit", misfit, "--id", "misfit", "--wait", ...restarts)
    for (const one of [here, there]) {
      assert.strictEqual(await one.ended(), 1)
      assert.include(one.stderr, message)
      assert.match(one.stdout, /^Job misfit \(\S+\) on \w+: failed, clean/m)
    }
    assert.include(there.stderr, "it begins again in 1.0 ms (restart 1)")
    await submit("endless", "wait")
    const [result, early] = await Promise.all([server.run("result", "misfit"), server.run("result", "endless")])
    assert.deepStrictEqual([result.code, result.stdout], [1, ""])
    assert.include(result.stderr, message)
    assert.strictEqual(early.code, 2)
    assert.match(early.stderr, /^autostop: job endless is \w+: it has a result once it has stopped$/)
    await server.post("/jobs/endless/stop", { mode: "kill" })
    await stopped("endless")
    const cancelled = await server.run("result", "endless")
    assert.deepStrictEqual(cancelled, {
      code: 1,
      stdout: "",
      stderr: "autostop: job endless was cancelled, and has no result"
    })
    await server.run("delete", "greeted", "misfit", "endless")
  })

  it("never take the beginning of an id that somebody chose for another job", async () => {
    await Promise.all(["backup-1", "backup-10"].map((id) => submit(id)))
    await Promise.all(["backup-1", "backup-10"].map(stopped))
    assert.strictEqual((await server.run("delete", "backup-1")).code, 0)
    const commands = [["delete"], ["delete", "--force"], ["stop"], ["report"], ["result"], ["status"], ["logs"]]
    await Promise.all(commands.map(async ([name = "", ...flags]) => {
      const { code, stderr } = await server.run(name, "backup-1", ...flags)
      assert.strictEqual(code, 2, name)
      assert.strictEqual(
        stderr,
        "autostop: there is no job backup-1: check the id; the job may have been removed; ids that begin with it: backup-10"
      )
    }))
    assert.match((await server.run("status", "backup-10")).stdout, /^state +stopped$/m)
    await server.run("delete", "backup-10")
  })

  it("list page by page what is more than the manager gives at once", async () => {
    const jobs: Array<string> = Array.from({ length: 2_500 }, (_, n) => `job-${n}`)
    const answer = (id: string) => ({ id, job: "sum", state: "stopped", priority: 0, submittedAt: "2026-01-01" })
    const many = createServer(({ url = "" }, response) => {
      const { searchParams } = new URL(url, "http://many")
      const from = jobs.indexOf(searchParams.get("before")?.split("_")[1] ?? "") + 1
      const page = jobs.slice(from, from + Number(searchParams.get("limit")))
      response.setHeader("content-type", "application/json").end(JSON.stringify(page.map(answer)))
    }).listen(0, "127.0.0.1")
    await once(many, "listening")
    // safe: it listens on a port
    const url = `http://127.0.0.1:${(many.address() as AddressInfo).port}`
    const listed = async (limit: string) => {
      const list = new Started([bin, "list", "--url", url, "--limit", limit, "--format", "json"])
      await list.ended()
      return JSON.parse(list.stdout).map(({ id }: { readonly id: string }) => id)
    }
    assert.deepStrictEqual(await listed("2200"), jobs.slice(0, 2_200))
    assert.deepStrictEqual(await listed("9999"), jobs)
    many.close()
  })

  it("delete several jobs at once, each for itself, and clean away what stopped some time ago", async () => {
    await Promise.all([...["a1", "a2", "a3"].map((id) => submit(id)), submit("busy", "wait")])
    await Promise.all(["a1", "a2", "a3"].map(stopped))
    const mixed = await server.run("delete", "a1", "nope", "busy", "a2")
    assert.strictEqual(mixed.code, 2)
    assert.match(
      mixed.stderr,
      /^autostop: there is no job nope: check the id; the job may have been removed\nautostop: job busy is \w+: stop it first, or remove it with force$/
    )
    const ids = async () => {
      const { stdout } = await server.run("list", "--format", "json")
      return JSON.parse(stdout).map(({ id }: { readonly id: string }) => id)
    }
    const left: Array<string> = await ids()
    assert.includeMembers(left, ["a3", "busy"])
    assert.notInclude(left, "a1")
    assert.notInclude(left, "a2")
    assert.strictEqual((await server.run("clean", "--older", "1d")).stdout, "removed 0 jobs")
    assert.strictEqual((await server.run("delete", "busy", "--force")).code, 0)
    const cleaned = await server.run("clean", "--older", "0", "--format", "json")
    assert.deepStrictEqual(JSON.parse(cleaned.stdout), { removed: left.length - 1 })
    assert.deepStrictEqual(await ids(), [])
  })

  it("that follow end in silence at a signal, with its exit code", async () => {
    await submit("followed", "wait")
    const following = [
      command("events", "-f", "followed"),
      command("logs", "-f", "followed"),
      command("watch"),
      command("watch", "--format", "json")
    ]
    const said = ["run started", "hello Ada", "followed greet running", "Overview"]
    await Promise.all(following.map(async (started, n) => {
      await started.said(said[n] ?? "")
      started.signal(n === 0 ? "SIGTERM" : "SIGINT")
      assert.strictEqual(await started.ended(), n === 0 ? 143 : 130)
      assert.strictEqual(started.stderr, "")
    }))
    await server.run("delete", "followed", "--force")
  })

  it("end with the reader of their output", async () => {
    const script = `{ "${process.execPath}" "${bin}" watch --url ${server.url}; echo "ended with $?" >&2; } | head -1`
    const shell = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "pipe"] })
    let stderr = ""
    shell.stderr.on("data", (chunk: Buffer) => stderr += chunk)
    await once(shell.stdout, "data")
    // something more to print, which nobody reads
    await submit("unread")
    await once(shell, "close")
    // what nobody has read is output that could not be written
    assert.strictEqual(stderr, "ended with 1\n")
    await stopped("unread")
  })

  it("such as watch print a line for each change, or JSON", async () => {
    const lines = await command("watch").said("ready")
    const json = await command("watch", "--format", "json").said("Overview")
    await server.submit({ name: "Ada", act: "fail" }, "--id", "seen")
    const ended = "seen greet stopped failed, clean; failed"
    await Promise.all([lines.said(ended), json.said("\"stoppedAt\"")])
    for (const started of [lines, json]) await started.signal("SIGINT").ended()
    assert.match(
      lines.stdout,
      /^\S+Z autostop \S+ at http:\S+: ready; up for .*, \d+ stopped$[^]*^\S+Z seen greet queued$[^]*^\S+Z seen greet stopped/m
    )
    const changes = json.stdout.trim().split("\n").map((line) => JSON.parse(line))
    assert.deepStrictEqual([changes[0]._tag, changes[0].ready, changes[0].jobs], ["Overview", true, []])
    const states = changes.flatMap(({ info }) => info?.id === "seen" ? [info.state] : [])
    assert.deepStrictEqual([states[0], states.at(-1)], ["queued", "stopped"])
  })

  it("such as watch redraw a terminal in place, and give it back as it was", async () => {
    await submit("shown", "wait")
    const ends: ReadonlyArray<readonly [string, number]> = [["q", 0], ["\u0003", 130]]
    await Promise.all(ends.map(async ([key, code]) => {
      const watch = `"${process.execPath}" "${bin}" watch --url ${server.url}`
      const terminal = spawn("script", [
        "-qec",
        `stty rows 20 cols 100; ${watch}; code=$?; stty; exit $code`,
        "/dev/null"
      ])
      let shown = ""
      terminal.stdout.on("data", (chunk: Buffer) => shown += chunk)
      while (!/shown +greet +running/.test(shown)) await once(terminal.stdout, "data")
      terminal.stdin.write(key)
      await once(terminal, "close")
      assert.strictEqual(terminal.exitCode, code)
      const [before, drawn, after] = shown.split(/\P{L}\[\?1049[hl]/u)
      assert.deepStrictEqual(before, "")
      assert.match(drawn ?? "", /autostop \S+ at \S+: ready; up for [\w ]+\P{L}*K\r+\n/u)
      assert.include(drawn, "\u001b[?25l")
      assert.include(drawn, "\u001b[?25h")
      // as stty says it of a terminal that is no longer raw
      assert.notMatch(after ?? "no stty", /-icanon|-echo|-isig/)
    }))
    await server.run("delete", "shown", "--force")
  })

  it("go on when the manager is back, and say so", async () => {
    // the token of its own would be found at its own port alone, and changes with each start
    await using lost = await Server.start([], { AUTOSTOP_TOKEN: "secret of this manager" })
    const proxy = new Proxy(Number(new URL(lost.url).port))
    await proxy.listen()
    await lost.submit({ name: "Ada", act: "wait" }, "--id", "long")
    await lost.logged("long", "hello Ada")
    const through = (...args: ReadonlyArray<string>) => new Started([bin, ...args, "--url", proxy.url], lost.env)
    const events = await through("events", "-f", "long").said("run started")
    const logs = await through("logs", "-f", "long").said("hello Ada")
    const watch = await through("watch").said("long greet running")
    lost.server.signal("SIGKILL")
    await lost.server.ended()
    await Promise.all([events, logs, watch].map((started) => started.said("is lost; trying again")))
    await lost.again()
    proxy.target = Number(new URL(lost.url).port)
    assert.deepStrictEqual(await Promise.all([events.ended(), logs.ended()]), [0, 0])
    for (const { stderr } of [events, logs]) {
      assert.match(stderr, /^autostop: the connection to \S+ is lost; trying again\nautostop: connected again\n$/)
    }
    assert.strictEqual(events.count("20"), events.stdout.trim().split("\n").length)
    assert.strictEqual(new Set(events.stdout.trim().split("\n")).size, events.count("20"))
    assert.match(events.stdout, /job cancelled, clean\n$/)
    assert.strictEqual(logs.count("hello Ada"), 1)
    await watch.said("connected again")
    await watch.said("1 stopped")
    await watch.signal("SIGINT").ended()
    proxy.close()
  })

  it("such as submit say so if the job may have been submitted or not", async () => {
    const deaf = createServer((request) => void request.socket.destroy()).listen(0, "127.0.0.1")
    await once(deaf, "listening")
    // safe: it listens on a port
    const { port } = deaf.address() as AddressInfo
    const cut = new Started([bin, "submit", "greet", "--id", "mine", "--url", `127.0.0.1:${port}`])
    assert.strictEqual(await cut.ended(), 2)
    assert.match(cut.stderr, /job mine may have been submitted or not; run "autostop status mine" to find out$/m)
    deaf.removeAllListeners("request").on("request", () => silent.signal("SIGINT"))
    const silent = new Started([bin, "submit", "greet", "--id", "mine", "--url", `127.0.0.1:${port}`])
    assert.strictEqual(await silent.ended(), 130)
    assert.match(
      silent.stderr,
      /^SIGINT: job mine may have been submitted or not; run "autostop status mine" to find out\.$/m
    )
    deaf.close()
  })

  it("complete themselves in a shell", () => {
    const script = execFileSync(process.execPath, [bin, "--completions", "bash"], { encoding: "utf8" })
    const complete = (...words: ReadonlyArray<string>) =>
      execFileSync("bash", ["-c", `${script}\n${typed}`, "bash", ...words], { encoding: "utf8" }).trim().split("\n")
    const typed = `COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=$(expr length "$*")
      _autostop autostop "\${@: -1}" ""
      printf "%s\\n" "\${COMPREPLY[@]}"`
    assert.includeMembers(complete("autostop", ""), ["run", "submit", "watch", "clean", "health"])
    assert.deepStrictEqual(complete("autostop", "list", "--state", "st"), ["starting", "stopping", "stopped"])
    assert.deepStrictEqual(complete("autostop", "stop", "--mo"), ["--mode"])
    assert.deepStrictEqual(complete("autostop", "run", "package.js"), ["package.json"])
    for (const [shell, begin] of [["zsh", /^#compdef autostop/], ["fish", /complete -c autostop/]] as const) {
      assert.match(execFileSync(process.execPath, [bin, "--completions", shell], { encoding: "utf8" }), begin)
    }
  })
})
