import { assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { isGroupAlive, until } from "../../../src/process/processGroup.ts"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

const gone = async (pid: number | undefined): Promise<void> => {
  assert.isDefined(pid)
  assert.isTrue(await until(() => !isGroupAlive(pid), 10_000), `${pid} is still there`)
}

describe("autostop serve", () => {
  it("runs what is submitted by name, and hands out its id, state, events, log and report", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada" })
    const events = await server.run("events", "-f", id)
    assert.match(events.stdout, /job greet .*\n[^]*job succeeded, clean$/)
    const info = await server.info(id)
    assert.include(info, { id, state: "stopped", outcome: "succeeded", clean: true, trigger: "completed" })
    const report = await server.report(id)
    assert.include(report, { jobId: id, environment: "remote", clean: true })
    assert.deepStrictEqual(report.services.map(({ name, outcome }) => [name, outcome]), [["test/Voice", "released"]])
    const logs = await server.run("logs", id)
    assert.match(logs.stdout, /^opened voice\nhello Ada from \d+\nclosed voice$/)
    assert.include((await server.run("list")).stdout, id.slice(0, 8))
    assert.match((await server.run("info")).stdout, /jobs +greet\n[^]*stopped +1/)
    assert.strictEqual((await server.run("health")).stdout, "ready")
    assert.strictEqual((await server.run("delete", id)).code, 0)
    assert.include((await server.run("status", id)).stderr, "there is no job")
  })

  it("lets submit --wait exit as the job would", async () => {
    await using server = await Server.start()
    const wait = (payload: object) =>
      server.run("submit", "greet", "--wait", "--format", "json", "--payload", JSON.stringify(payload))
    const good = await wait({ name: "Ada" })
    assert.strictEqual(good.code, 0)
    assert.include(JSON.parse(good.stdout), { outcome: "succeeded", clean: true })
    const failed = await wait({ name: "Ada", act: "fail" })
    assert.strictEqual(failed.code, 1)
    assert.include(JSON.parse(failed.stdout), { outcome: "failed", clean: true })
  })

  it("refuses what cannot run, before anything starts", async () => {
    await using server = await Server.start()
    const wrong = await server.run("submit", "greet", "--payload", "{\"name\":1}")
    assert.strictEqual(wrong.code, 2)
    assert.match(wrong.stderr, /^autostop: .*Expected string.*\["name"\]$/)
    const unknown = await server.run("submit", "other", "--payload", "{}")
    assert.strictEqual(unknown.code, 2)
    assert.include(unknown.stderr, "no job \"other\" is registered here; registered jobs: greet")
    assert.strictEqual((await server.run("list")).stdout.split("\n").length, 1)
  })

  it("stops its jobs by their own policies at SIGTERM", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada", act: "wait" })
    await server.logged(id, "hello Ada")
    const { pid } = await server.info(id)
    server.server.signal("SIGTERM")
    assert.strictEqual(await server.server.ended(), 143)
    await gone(pid)
    await server.again()
    const report = await server.report(id)
    assert.include(report, { trigger: "stopped", reason: "the job manager is being stopped", clean: true })
    assert.match((await server.run("logs", id)).stdout, /closed voice$/)
  })

  it("exits at a third signal though its store is locked, and finds the report of its job when it is back", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada", act: "wait" })
    await server.logged(id, "hello Ada")
    const { pid } = await server.info(id)
    // the manager waits for its store for a while before it leaves the ends of its jobs to the next one
    const database = new DatabaseSync(join(server.folder, "jobs.db"))
    database.exec("BEGIN IMMEDIATE")
    await server.server.signal("SIGTERM").said("SIGTERM: stopping the jobs that run")
    await (await server.server.signalAgain("SIGINT")).said("SIGINT: killing the jobs")
    await (await server.server.signalAgain("SIGTERM")).said("SIGTERM: exiting")
    assert.strictEqual(await server.server.ended(), 3)
    await gone(pid)
    database.close()
    await server.again()
    await server.stopped(id)
    assert.include(await server.report(id), { reason: "the job manager is being stopped", clean: true })
  })

  it("takes a token where it is given one, and listens for other machines only with one", async () => {
    await using server = await Server.start([], { AUTOSTOP_TOKEN: "secret" })
    assert.strictEqual((await server.run("list")).code, 0)
    const without = new Started([bin, "list", "--url", server.url])
    assert.strictEqual(await without.ended(), 2)
    assert.include(without.stderr, "the job manager requires a token; set AUTOSTOP_TOKEN, or give --token-file")
    const open = new Started([bin, "serve", "--host", "0.0.0.0", "--port", "0", "--data", join(server.folder, "open")])
    assert.strictEqual(await open.ended(), 2)
    assert.match(
      open.stderr,
      /^autostop: other machines can reach "0\.0\.0\.0": give a token, or listen on a loopback address/
    )
  })

  it("is what the commands advise to start where no manager answers", async () => {
    const list = new Started([bin, "list", "--url", "http://127.0.0.1:9"])
    assert.strictEqual(await list.ended(), 2)
    assert.include(list.stderr, "no job manager answers at http://127.0.0.1:9; start one with \"autostop serve\"")
  })
})
