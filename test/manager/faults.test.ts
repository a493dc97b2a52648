import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { JobInfo } from "../../src/manager/models.ts"
import { bin, Started } from "../support/cli.ts"
import { Proxy } from "../support/proxy.ts"
import { runs } from "../support/jobProcess.ts"
import { Server } from "../support/cliServer.ts"

const leasedMain = fileURLToPath(new URL("./leased.main.ts", import.meta.url))

/** Asks without a command line, which takes a while to start: for the status, 0 where there was no answer. */
const post = async (server: Server, path: string, body: object): Promise<number> => {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
  const { status, text } = await fetch(`${server.url}${path}`, request)
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch(() => ({ status: 0, text: "" }))
  // on a busy machine a request may come too slowly: clients ask again
  if (status === 408) return post(server, path, body)
  assert.include([0, 200, 201, 409], status, text)
  return status
}

const listed = async (server: Server): Promise<ReadonlyArray<JobInfo>> =>
  Schema.decodeUnknownSync(Schema.Array(JobInfo))(await (await fetch(`${server.url}/jobs?limit=1000`)).json())

/** Waits until it has stopped. */
const stopped = async (server: Server, id: string): Promise<void> =>
  void await (await fetch(`${server.url}/jobs/${id}/events?follow=true`)).text()

describe.concurrent("a job manager", () => {
  it("whose job is killed with -9 says that it is lost, and runs the others on", async () => {
    await using server = await Server.start()
    const [lost, other] = [
      await server.submit({ name: "Ada", act: "wait" }),
      await server.submit({ name: "Bob", act: "wait" })
    ]
    await server.logged(lost, "hello Ada")
    await server.logged(other, "hello Bob")
    const { pid = assert.fail("it has no process") } = await server.info(lost)
    process.kill(pid, "SIGKILL")
    await stopped(server, lost)
    const report = await server.report(lost)
    assert.include(report, { trigger: "lost", outcome: "failed", clean: false })
    assert.deepStrictEqual(report.services.map(({ name, outcome }) => [name, outcome]), [["test/Voice", "killed"]])
    assert.isFalse(runs(pid))
    assert.include(await server.info(other), { state: "running" })
    await server.run("stop", other)
    await stopped(server, other)
    assert.include(await server.report(other), { trigger: "stopped", clean: true })
  })

  it("whose clients are killed with -9 runs a job on, or stops it once its lease has expired", async () => {
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
    await stopped(server, "leased")
    assert.isBelow(performance.now() - since, 15_000 + 5_000)
    const { reason, trigger } = await server.report("leased")
    assert.deepStrictEqual([trigger, reason], ["stopped", "its lease has expired: its client is gone"])
    assert.include(await server.info("detached"), { state: "running" })
  })

  it("tells submit --wait all of a job, wherever its connections break", async () => {
    await using server = await Server.start()
    const proxy = new Proxy(Number(new URL(server.url).port))
    await proxy.listen()
    try {
      const args = [bin, "submit", "greet", "--wait", "--id", "cut", "--format", "json", "--url", proxy.url]
      const waiting = new Started([...args, "--payload", "{\"name\":\"Ada\",\"act\":\"wait\"}"])
      await waiting.said("RunStarted")
      // from here on each connection breaks in the middle of what it sends, a little later each time
      const before = proxy.connections
      proxy.cutAfter = (connection) => 250 + 60 * (connection - before)
      proxy.cut()
      assert.strictEqual(await post(server, "/jobs/cut/stop", { reason: "enough" }), 200)
      assert.strictEqual(await waiting.ended(), 1)
      assert.isAbove(proxy.connections, before + 3)
      const events = await (await fetch(`${server.url}/jobs/cut/events`)).text()
      assert.deepStrictEqual(
        waiting.stderr.trim().split("\n").filter((line) => line.startsWith("{")),
        [...events.matchAll(/^data: (\{.*\})$/gm)].map(([, event]) => event ?? "")
      )
      assert.include(JSON.parse(waiting.stdout), { trigger: "stopped", reason: "enough", clean: true })
    } finally {
      proxy.close()
    }
  })

  it("that is killed with -9 amid 500 submits has all that it answered, each once", async () => {
    await using server = await Server.start(["--concurrency", "2"])
    const ids = Array.from({ length: 500 }, (_, n) => `job-${n}`)
    const answered = new Set<string>()
    const submit = async (id: string) => {
      const status = await post(server, "/jobs", { id, job: "greet", payload: { name: id } })
      if (status === 201) answered.add(id)
      if (answered.size === 150) server.server.signal("SIGKILL")
    }
    await Promise.all(ids.map(submit))
    await server.server.ended()
    assert.isBelow(answered.size, 500, "it was not killed amid them")
    const before = new Set(answered)
    await server.again()
    const kept = new Set((await listed(server)).map(({ id }) => id))
    assert.deepStrictEqual([...before].filter((id) => !kept.has(id)), [])

    // all of them again, each of them twice at once: one that is there stays the same job
    const again = new Set<number>()
    for (const half of [ids.slice(0, 250), ids.slice(250)]) {
      const submits = [...half, ...half].map((id) => post(server, "/jobs", { id, job: "greet", payload: { name: id } }))
      for (const status of await Promise.all(submits)) again.add(status)
    }
    assert.deepStrictEqual(again, new Set([201]))
    const other = await post(server, "/jobs", { id: "job-0", job: "greet", payload: { name: "another" } })
    assert.strictEqual(other, 409)
    assert.deepStrictEqual((await listed(server)).map(({ id }) => id).toSorted(), ids.toSorted())

    // those that run end by themselves, those in the queue at once
    const statuses = await Promise.all(ids.map((id) => post(server, `/jobs/${id}/stop`, { reason: "not needed" })))
    assert.deepStrictEqual(new Set(statuses), new Set([200]))
    await Promise.all(ids.map((id) => stopped(server, id)))
    const ended = await listed(server)
    assert.deepStrictEqual(new Set(ended.map(({ state }) => state)), new Set(["stopped"]))
    const begun = ended.filter(({ startedAt }) => startedAt !== undefined)
    assert.isAtLeast(begun.length, 2)
    const greetings = await Promise.all(begun.map(async ({ id, outcome }) => {
      const log = await (await fetch(`${server.url}/jobs/${id}/logs`)).text()
      return { outcome, count: log.split(`hello ${id} from`).length - 1 }
    }))
    assert.isTrue(greetings.every(({ count }) => count <= 1), "one ran twice")
    // nobody was there to hear those that ran when the manager was killed
    assert.isAtMost(greetings.filter(({ count, outcome }) => count === 0 && outcome === "succeeded").length, 2)
    const never = ended.filter(({ startedAt }) => startedAt === undefined)
    assert.deepStrictEqual(
      new Set(never.map(({ outcome, reason }) => `${outcome}: ${reason}`)),
      new Set(["cancelled: not needed"])
    )
  })
})
