import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { handlesSince, snapshot, watchWorkers } from "../../src/process/activeHandles.ts"

watchWorkers()

describe("a worker thread that was started after a snapshot", () => {
  it("is left behind as long as it keeps its process alive", async () => {
    const before = snapshot()
    const workers = () => handlesSince(before).filter(({ detail }) => detail.startsWith("a worker thread"))
    const worker = new Worker("setInterval(() => {}, 1_000)", { eval: true })
    await once(worker, "online")
    assert.deepStrictEqual(workers(), [{ kind: "handle", detail: `a worker thread (${worker.threadId})` }])
    worker.unref()
    assert.deepStrictEqual(workers(), [])
    worker.ref()
    assert.lengthOf(workers(), 1)
    await worker.terminate()
    assert.deepStrictEqual(workers(), [])
  })
})
