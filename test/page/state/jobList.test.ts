import { assert, describe, it } from "@effect/vitest"
import type { JobInfo } from "../../../src/page/api/models.ts"
import { listedJobs } from "../../../src/page/state/jobList.ts"

const job = (id: string, changes: Partial<JobInfo> = {}): JobInfo => ({
  id,
  job: "flights",
  state: "running",
  priority: 0,
  submittedAt: `2026-01-01T00:00:0${id.length}.000Z`,
  ...changes
})

describe("the list of jobs", () => {
  it("has first what stops, then what runs or waits, then the latest of those that have stopped", () => {
    const jobs = [
      job("a", { state: "stopped" }),
      job("bb", { state: "stopped" }),
      job("c", { state: "stopping" }),
      job("dd", { state: "queued" }),
      job("eee")
    ]
    assert.deepStrictEqual(listedJobs(jobs, {}).map(({ id }) => id), ["c", "eee", "dd", "bb", "a"])
  })

  it("has the jobs that meet all conditions", () => {
    const jobs = [
      job("a", { state: "stopped", outcome: "failed", clean: false }),
      job("b", { state: "stopped", outcome: "failed", clean: true }),
      job("c", { job: "Backup" })
    ]
    const ids = (filter: Parameters<typeof listedJobs>[1]) => listedJobs(jobs, filter).map(({ id }) => id)
    assert.deepStrictEqual(ids({ outcome: "failed", unclean: true }), ["a"])
    assert.deepStrictEqual(ids({ text: "bACK" }), ["c"])
    assert.deepStrictEqual(ids({ state: "running" }), ["c"])
    assert.deepStrictEqual(ids({ text: "none" }), [])
  })
})
