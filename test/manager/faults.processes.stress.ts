import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { bin, Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"
import { runs } from "../support/jobProcess.ts"
import { Proxy } from "../support/proxy.ts"
import { killDuringSubmits } from "./killedManager.ts"

const leasedMain = fileURLToPath(new URL("./leased.main.ts", import.meta.url))

describe.concurrent("a job manager", () => {
  it("reports a job lost whose process is killed, and runs the others on", async () => {
    await using server = await Server.start()
    const [lost, other] = [
      await server.submit({ name: "Ada", act: "wait" }),
      await server.submit({ name: "Bob", act: "wait" })
    ]
    await server.logged(lost, "hello Ada")
    await server.logged(other, "hello Bob")
    const { pid = assert.fail("it has no process") } = await server.info(lost)
    process.kill(pid, "SIGKILL")
    await server.stopped(lost)
    const report = await server.report(lost)
    assert.include(report, { trigger: "lost", outcome: "failed", clean: false })
    assert.deepStrictEqual(report.services.map(({ name, outcome }) => [name, outcome]), [["test/Voice", "killed"]])
    assert.isFalse(runs(pid))
    assert.include(await server.info(other), { state: "running" })
    await server.post(`/jobs/${other}/stop`, {})
    await server.stopped(other)
    assert.include(await server.report(other), { trigger: "stopped", clean: true })
  })

  it("runs a job on whose client is killed, or stops it once its lease has expired", async () => {
    await using server = await Server.start()
    const leased = new Started([leasedMain, server.url, "leased"])
    const wait = ["submit", "greet", "--wait", "--id", "detached", "--payload", "{\"name\":\"Bob\",\"act\":\"wait\"}"]
    const detached = new Started([bin, ...wait, "--url", server.url])
    await Promise.all([leased.said("submitted"), detached.said("run started")])
    await server.logged("leased", "hello Ada")
    for (const client of [leased, detached]) {
      client.signal("SIGKILL")
      await client.ended()
    }
    const since = performance.now()
    await server.stopped("leased")
    assert.isBelow(performance.now() - since, 15_000 + 5_000)
    const { reason, trigger } = await server.report("leased")
    assert.deepStrictEqual([trigger, reason], ["stopped", "its lease has expired: its client is gone"])
    assert.include(await server.info("detached"), { state: "running" })
  })

  it("sends all events to `submit --wait`, wherever its connections break", async () => {
    await using server = await Server.start([], { AUTOSTOP_TOKEN: "secret of this manager" })
    const proxy = new Proxy(Number(new URL(server.url).port))
    await proxy.listen()
    try {
      const args = [bin, "submit", "greet", "--wait", "--id", "cut", "--format", "json", "--url", proxy.url]
      const waiting = new Started([...args, "--payload", "{\"name\":\"Ada\",\"act\":\"wait\"}"], server.env)
      await waiting.said("RunStarted")
      // from here on each connection breaks within an event, a little later each time
      const before = proxy.connections
      proxy.cutAfter = (connection) => 250 + 60 * (connection - before)
      proxy.cut()
      await server.post("/jobs/cut/stop", { reason: "enough" })
      assert.strictEqual(await waiting.ended(), 1)
      assert.isAbove(proxy.connections, before + 3)
      const events = await (await server.fetch("/jobs/cut/events")).text()
      assert.deepStrictEqual(
        waiting.stderr.trim().split("\n").filter((line) => line.startsWith("{") && JSON.parse(line)._tag !== "Result"),
        [...events.matchAll(/^data: (\{.*\})$/gm)].map(([, event]) => event ?? "")
      )
      assert.include(JSON.parse(waiting.stdout), { trigger: "stopped", reason: "enough", clean: true })
    } finally {
      proxy.close()
    }
  })

  it("has all that it has answered, each once, after it was killed in the middle of submits", () =>
    killDuringSubmits({ count: 40, killAfter: 12 }))
})
