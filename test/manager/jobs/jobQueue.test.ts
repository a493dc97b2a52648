import { assert, describe, it } from "@effect/vitest"
import { tmpdir } from "node:os"
import { JobLog } from "../../../src/manager/jobs/jobLog.ts"
import { LiveJob } from "../../../src/manager/jobs/liveJob.ts"
import { JobQueue } from "../../../src/manager/jobs/jobQueue.ts"
import { infoOf } from "../../support/store.ts"

const log = new JobLog({ folder: tmpdir(), bytes: 1_000 }, "none", () => {})

/** The order in which they leave, where none of them ends. */
const order = (...jobs: ReadonlyArray<readonly [id: string, job: string, priority?: number]>) => {
  const queue = new JobQueue()
  for (const [id, job, priority = 0] of jobs) queue.add(new LiveJob(infoOf(id, { job, priority }), { job }, log))
  const taken: Array<LiveJob> = []
  for (;;) {
    const next = queue.take((name) => taken.filter(({ info }) => info.job === name).length)
    if (next === undefined) return taken.map(({ info }) => info.id)
    taken.push(next)
  }
}

describe("the queue", () => {
  it("lets those out first that came first", () => {
    assert.deepStrictEqual(order(["1", "a"], ["2", "a"], ["3", "a"]), ["1", "2", "3"])
  })

  it("lets those of a higher priority pass", () => {
    assert.deepStrictEqual(order(["1", "a"], ["2", "a", 5], ["3", "b", -1], ["4", "b", 5]), ["2", "4", "1", "3"])
  })

  it("does not let many of one name hold up the others", () => {
    assert.deepStrictEqual(order(["1", "a"], ["2", "a"], ["3", "a"], ["4", "b"], ["5", "b"]), ["1", "4", "2", "5", "3"])
  })
})
