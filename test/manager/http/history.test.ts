import { assert, describe, it } from "@effect/vitest"
import type { JobHistory, ManagerStatus } from "../../../src/manager/models.ts"
import { Server } from "../../support/cliServer.ts"

describe("a job manager", () => {
  it("tells what a job uses while it runs, what is new of it, and nothing once it has stopped", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada", act: "wait" })
    const ask = async (query = ""): Promise<JobHistory> => JSON.parse(await server.ask(`/jobs/${id}/history${query}`))
    let history = await ask()
    while (history.samples.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      history = await ask()
    }
    for (const { cpu, loopDelayMs, memory } of history.samples) {
      assert.isAtLeast(cpu, 0)
      assert.isAtLeast(loopDelayMs, 0)
      assert.isAbove(memory, 1024 * 1024)
    }
    assert.deepStrictEqual((await ask("?after=9999-01-01T00:00:00.000Z")).samples, [])
    await server.post(`/jobs/${id}/stop`, {})
    await server.stopped(id)
    assert.deepStrictEqual(await ask(), { stages: [], samples: [] })
    assert.strictEqual((await server.fetch("/jobs/nobody/history")).status, 404)
  })

  it("tells its limits, its store and the number of its watchers", async () => {
    await using server = await Server.start(["--concurrency", "3"])
    const status = async (): Promise<ManagerStatus> => JSON.parse(await server.ask("/info")).status
    assert.deepInclude(await status(), { store: "SQLite", concurrency: 3, spares: 0, watchers: 0 })
    const feed = await server.fetch("/feed")
    const reader = feed.body?.getReader()
    await reader?.read()
    assert.strictEqual((await status()).watchers, 1)
    await reader?.cancel()
  })
})
