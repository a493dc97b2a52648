import { assert, describe, it } from "@effect/vitest"
import { setTimeout } from "node:timers/promises"
import { Server } from "../support/cliServer.ts"
import { fullDisks } from "../support/fullDisk.ts"

const token = { AUTOSTOP_TOKEN: "the token of this manager" }

const submit = (server: Server, submission: object) => server.post("/jobs", { job: "greet", ...submission })

/** Submits until a submit is refused, because some room may be left in the files of the store. Returns the refusal. */
const refusedSubmit = async (server: Server): Promise<string> => {
  for (;;) {
    const response = await server.fetch("/jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ job: "greet", payload: { name: "x".repeat(100_000) } })
    })
    const text = await response.text()
    if (response.status === 503) return text
    assert.include([201, 408], response.status, text)
  }
}

const statusOf = async (server: Server, path: string): Promise<number> => (await server.fetch(path)).status

/** Waits until the manager says that it takes jobs, or that it does not. */
const readiness = async (server: Server, status: 204 | 503): Promise<void> => {
  while (await statusOf(server, "/health/ready") !== status) await setTimeout(50)
}

describe("a job manager", () => {
  for (const [kind, make] of fullDisks) {
    /** A manager with a job that runs and one that waits, on a disk that has just become full. */
    const full = async () => {
      const disk = await make()
      const server = await Server.start(["--concurrency", "1"], token, disk)
      const pid = server.server.child.pid ?? assert.fail("it has not started")
      const [running, queued] = ["running", "queued"] as const
      await submit(server, { id: running, payload: { name: "Ada", act: "wait" } })
      await server.logged(running, "hello Ada")
      await submit(server, { id: queued, payload: { name: "Bob", act: "wait" } })
      disk.fill(pid)
      const refusal = await refusedSubmit(server)
      return {
        server,
        running,
        queued,
        refusal,
        free: () => disk.free(pid),
        async [Symbol.asyncDispose]() {
          await server[Symbol.asyncDispose]()
          await disk[Symbol.asyncDispose]()
        }
      }
    }

    it(`refuses submits while ${kind}, runs on, and writes what has happened once there is room`, async () => {
      await using given = await full()
      const { queued, refusal, running, server } = given
      assert.match(
        refusal,
        /the disk of .*jobs\.db is full: free some space|jobs\.db cannot be written: free some space .*quota/
      )
      assert.strictEqual(await statusOf(server, "/health/live"), 204)
      assert.include(await server.info(running), { state: "running" })
      await server.post(`/jobs/${running}/stop`, { reason: "enough" })
      await readiness(server, 503)
      given.free()
      await server.stopped(running)
      assert.include(await server.report(running), { trigger: "stopped", reason: "enough" })
      await readiness(server, 204)
      await server.logged(queued, "hello Bob")
      await submit(server, { payload: { name: "Eve" } })
    })

    it(`ends within its limits at SIGTERM while ${kind}, and the next one has all`, async () => {
      await using given = await full()
      const { queued, running, server } = given
      server.server.signal("SIGTERM")
      assert.strictEqual(await server.server.ended(), 143, server.server.stderr)
      given.free()
      await server.again()
      await server.logged(queued, "hello Bob")
      const report = await server.report(running)
      assert.include(report, { trigger: "stopped", reason: "the job manager is being stopped" })
      assert.deepStrictEqual(report.services.map(({ outcome }) => outcome), ["released"])
    })
  }
})
