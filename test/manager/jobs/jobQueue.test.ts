import { assert, describe, it } from "@effect/vitest"
import type { ActiveJob } from "../../../src/manager/jobs/activeJob.ts"
import { JobQueue } from "../../../src/manager/jobs/jobQueue.ts"
import { activeJob } from "../../support/activeJob.ts"

/** Returns the order in which jobs leave a queue if none of them ends. */
const order = (...jobs: ReadonlyArray<readonly [id: string, job: string, priority?: number]>) => {
  const queue = new JobQueue()
  for (const [id, job, priority = 0] of jobs) queue.add(activeJob(id, { job, priority }))
  const taken: Array<ActiveJob> = []
  for (;;) {
    const next = queue.take((name) => taken.filter((job) => job.name === name).length)
    if (next === undefined) return taken.map(({ id }) => id)
    taken.push(next)
  }
}

describe("JobQueue", () => {
  it("returns jobs in the order in which they were added", () => {
    assert.deepStrictEqual(order(["1", "a"], ["2", "a"], ["3", "a"]), ["1", "2", "3"])
  })

  it("returns jobs of a higher priority first", () => {
    assert.deepStrictEqual(order(["1", "a"], ["2", "a", 5], ["3", "b", -1], ["4", "b", 5]), ["2", "4", "1", "3"])
  })

  it("returns a job of the name of which the fewest run first", () => {
    assert.deepStrictEqual(order(["1", "a"], ["2", "a"], ["3", "a"], ["4", "b"], ["5", "b"]), ["1", "4", "2", "5", "3"])
  })
})
