import { assert } from "@effect/vitest"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Submission } from "../../../src/manager/models.ts"
import { until } from "../../../src/process/processGroup.ts"
import { Started } from "../../support/cli.ts"
import { folder, type Payload, runs, urlOf } from "../../support/jobProcess.ts"

/** Starts a job in a manager that can be killed. */
export const orphan = (payload: Payload, rest: Omit<Submission, "job" | "payload"> = {}) => {
  const file = join(folder, `${crypto.randomUUID()}.json`)
  const main = fileURLToPath(new URL("./owner.main.ts", import.meta.url))
  const submission: Submission = { job: "work", payload, ...rest }
  return { file, owner: new Started([main, urlOf("work"), file, JSON.stringify(submission)]) }
}
/** Returns the ids of the processes that the job has printed. */
export const pidsOf = (owner: Started) =>
  [...owner.stdout.matchAll(/^(?:pid|child|grandchild) (\d+)$/gm)].map(([, pid]) => Number(pid))

/** Kills managers at random moments: no process of their jobs may be left. */
export const killAtRandom = async (rounds: number): Promise<void> => {
  for (let round = 0; round < rounds; round++) {
    const { owner } = orphan({ act: "wait", family: true })
    await owner.said("pid")
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000))
    await owner.signal("SIGKILL").ended()
    assert.isTrue(await until(() => !pidsOf(owner).some(runs), 5_000))
  }
}
