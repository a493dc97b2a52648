import { assert, describe, it } from "@effect/vitest"
import { Server } from "../support/cliServer.ts"
import { databases } from "../support/store.ts"

/** How a database is lost, and how many signals the manager gets. */
const cases = [["crashed", 1], ["frozen", 2]] as const

describe("a job manager whose store is down when it is stopped", () => {
  const { postgres } = databases()

  for (const [loss, signals] of cases) {
    it(`ends within its limits at ${signals === 1 ? "a signal" : "two signals"} while PostgreSQL is ${loss}, and the next one has all`, async () => {
      const database = postgres()
      await using server = await Server.start(["--concurrency", "1"], { AUTOSTOP_STORE: database.fresh() })
      const running = await server.submit({ name: "Ada", act: "wait" })
      await server.logged(running, "hello Ada")
      const queued = await server.submit({ name: "Bob" })
      await database[loss === "crashed" ? "crash" : "freeze"]()
      for (let n = 0; n < signals; n++) {
        // within 500 ms it would be the same request
        if (n > 0) await new Promise((resolve) => setTimeout(resolve, 600))
        await server.server.signal("SIGTERM").said(n === 0 ? "stopping" : "killing")
      }
      const code = await server.server.ended()
      assert.strictEqual(code, 143, server.server.stderr)
      await database[loss === "crashed" ? "restart" : "thaw"]()
      await server.again()
      await server.stopped(queued)
      assert.include(await server.info(running), { state: "stopped", trigger: "stopped" })
      const report = await server.report(running)
      assert.include(report, { trigger: "stopped", clean: true })
      assert.deepStrictEqual(report.services.map(({ outcome }) => outcome), ["released"])
      assert.include(await server.info(queued), { state: "stopped", outcome: "succeeded" })
    })
  }
})
