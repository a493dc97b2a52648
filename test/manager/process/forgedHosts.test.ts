import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"
import { signal } from "../../../src/process/processGroup.ts"
import { folder, runs, urlOf } from "../../support/jobProcess.ts"
import { join } from "node:path"

/** A process that leads a group, and that the job under test has not started. */
const stranger = async () => {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1e6)"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"]
  })
  await once(child.stdout, "data")
  const { pid = 0 } = child
  return { pid, [Symbol.dispose]: () => void signal(-pid, "SIGKILL") }
}

describe("a job that forges the ids of its hosts", () => {
  it("has none of the processes killed that it has not started, however it ends", async () => {
    using first = await stranger()
    using second = await stranger()
    const id = crypto.randomUUID()
    const { ended } = startJobProcess({
      id,
      // a code that is broken may kill these, and no more
      submission: { job: "forger", payload: { pids: [first.pid, second.pid] }, stopPolicy: { deadline: 500 } },
      code: { module: urlOf("forger") },
      resultFile: join(folder, `${id}.json`),
      onEvent: () => {},
      onStages: () => {},
      onOutput: () => {}
    })
    const { report } = await Effect.runPromise(ended)
    assert.deepInclude(report, { outcome: "failed", trigger: "lost" })
    assert.isTrue(runs(first.pid) && runs(second.pid))
  })
})

describe("a signal", () => {
  it("is never sent to this process's own group, to all processes, or to the first one", () => {
    for (const pid of [0, -0, 1, -1, NaN, Infinity, 1.5]) assert.isFalse(signal(pid, 0), String(pid))
    assert.isTrue(signal(process.pid, 0))
  })
})
