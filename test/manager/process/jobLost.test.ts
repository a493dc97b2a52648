import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { until } from "../../../src/process/processGroup.ts"
import type { Submission } from "../../../src/manager/models.ts"
import { Started } from "../../support/cli.ts"
import {
  deadlineMs,
  folder,
  killed,
  messageOf,
  outcomes,
  type Payload,
  released,
  run,
  runs,
  short,
  stored,
  timed,
  urlOf
} from "../../support/jobProcess.ts"

describe("the process of a job: what is lost", () => {
  it("its process: it is cleared, reported lost, and its exit says so", async () => {
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

  it("its process, before it has begun", async () => {
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

  const orphan = (payload: Payload, rest: Omit<Submission, "job" | "payload"> = {}) => {
    const file = join(folder, `${crypto.randomUUID()}.json`)
    const main = fileURLToPath(new URL("./owner.main.ts", import.meta.url))
    const submission: Submission = { job: "work", payload, ...rest }
    return { file, owner: new Started([main, urlOf("work"), file, JSON.stringify(submission)]) }
  }
  const pidsOf = (owner: Started) =>
    [...owner.stdout.matchAll(/^(?:pid|child|grandchild) (\d+)$/gm)].map(([, pid]) => Number(pid))

  it("its manager: it stops by its policy, leaves its result, and nothing survives", async () => {
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

  it("its manager, of a blocked one: it is killed at its deadline, with all it started", async () => {
    const { file, owner } = orphan({ act: "block", family: true }, short)
    await owner.said("ready")
    await owner.signal("SIGKILL").ended()
    const pids = pidsOf(owner)
    const [gone, ms] = await timed(() => until(() => !pids.some(runs), 5_000))
    assert.isTrue(gone)
    assert.isBelow(ms, deadlineMs + 1_000)
    assert.isFalse(existsSync(file))
  })

  it("its manager, at a random moment: nothing survives", async () => {
    for (let round = 0; round < 5; round++) {
      const { owner } = orphan({ act: "wait", family: true })
      await owner.said("pid")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000))
      await owner.signal("SIGKILL").ended()
      assert.isTrue(await until(() => !pidsOf(owner).some(runs), 5_000))
    }
  })
})
