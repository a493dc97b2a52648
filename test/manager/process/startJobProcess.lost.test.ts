import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { until } from "../../../src/process/processGroup.ts"
import { killAtRandom, orphan, pidsOf } from "./orphan.ts"
import {
  deadlineMs,
  killed,
  messageOf,
  outcomes,
  released,
  run,
  runs,
  short,
  stored,
  timed
} from "../../support/jobProcess.ts"

describe("a job process that is lost", () => {
  it("is reported as lost if it is killed, and nothing of it is left", async () => {
    const job = await run({ act: "wait", family: true }).said("ready")
    process.kill(job.process.pid ?? 0, "SIGKILL")
    const result = await job.ended()
    assert.deepInclude(result.report, {
      trigger: "lost",
      reason: "its process was ended by SIGKILL",
      outcome: "failed",
      clean: false
    })
    assert.deepStrictEqual(outcomes(result), killed)
    assert.match(messageOf(result), new RegExp(`the process of job ${job.id} was ended by SIGKILL`))
    assert.deepStrictEqual(job.pids.filter(runs), [])
    assert.isFalse(existsSync(job.resultFile))
  })

  it("is reported as lost if it is ended before its job starts", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const job = run({ act: "wait" })
      process.kill(job.process.pid ?? 0, signal)
      const result = await job.ended()
      assert.deepInclude(result.report, {
        trigger: "lost",
        outcome: "failed",
        job: "work",
        jobId: job.id,
        services: []
      })
      assert.match(messageOf(result), new RegExp(signal))
    }
  })

  it("stops by its own policy if its manager is killed, and writes its result", async () => {
    const { file, owner } = orphan({ act: "wait", family: true })
    await owner.said("ready")
    await owner.signal("SIGKILL").ended()
    const pids = pidsOf(owner)
    assert.strictEqual(pids.length, 3)
    assert.isTrue(await until(() => !pids.some(runs), 5_000))
    const result = stored(file)
    assert.deepInclude(result.report, { trigger: "lost", outcome: "cancelled", jobId: "orphan", environment: "remote" })
    assert.deepStrictEqual(outcomes(result), released)
  })

  it("is killed at its deadline, with all it started, if its manager is killed and it blocks", async () => {
    const { file, owner } = orphan({ act: "block", family: true }, short)
    await owner.said("ready")
    await owner.signal("SIGKILL").ended()
    const pids = pidsOf(owner)
    const [gone, ms] = await timed(() => until(() => !pids.some(runs), 5_000))
    assert.isTrue(gone)
    assert.isBelow(ms, deadlineMs + 1_000)
    assert.isFalse(existsSync(file))
  })

  it("leaves no process if its manager is killed at a random moment", () => killAtRandom(1))
})
