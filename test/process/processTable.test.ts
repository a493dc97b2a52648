import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import {
  commandOf,
  endedChildren,
  isLiving,
  isStill,
  listProcesses,
  ownChildren,
  readProcess,
  variableOf
} from "../../src/process/processTable.ts"

/** A process with a name that is hard to read. */
const started = async (env: NodeJS.ProcessEnv = {}) => {
  const child = spawn("sh", [
    "-c",
    "cp \"$(command -v sleep)\" \"$0\" && exec \"$0\" 1000",
    `/tmp/a) Z (${process.pid}`
  ], {
    stdio: "ignore",
    detached: true,
    env: { ...process.env, ...env }
  })
  const { pid = 0 } = child
  while (!commandOf(pid).endsWith(" 1000") || commandOf(pid).startsWith("sh ")) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const end = async () => {
    child.kill("SIGKILL")
    await once(child, "exit")
    spawnSync("rm", [`/tmp/a) Z (${process.pid}`])
  }
  return { pid, end }
}

describe("the table of processes", () => {
  it("has a process by its id and its start, whatever its name, until it has ended", async () => {
    const { end, pid } = await started()
    const entry = readProcess(pid)
    if (!isLiving(entry)) return assert.fail("it is not there")
    assert.deepInclude(entry, { pid, parent: process.pid, group: pid, session: pid })
    assert.include(ownChildren() ?? [], pid)
    assert.isTrue(listProcesses().some((one) => one.pid === pid))
    assert.isTrue(isStill(entry))
    // another process that was given its id
    assert.isFalse(isStill({ ...entry, start: entry.start + 1 }))
    await end()
    assert.isFalse(isStill(entry))
    assert.isUndefined(readProcess(pid))
    assert.strictEqual(commandOf(pid), "")
  })

  it("has the variable that a process began with, and not one whose name ends like it", async () => {
    const { end, pid } = await started({ NOT_THE_MARK: "1", THE_MARK: "2=\n3", ANOTHER: "THE_MARK=4" })
    assert.strictEqual(variableOf(pid, "THE_MARK"), "2=\n3")
    assert.strictEqual(variableOf(pid, "NOT_THE"), undefined)
    assert.strictEqual(variableOf(pid, "MARK"), undefined)
    await end()
    assert.strictEqual(variableOf(pid, "THE_MARK"), undefined)
  })

  it("says whether this process has had children that have ended", () => {
    const before = endedChildren()
    assert.strictEqual(endedChildren(), before)
    spawnSync("true")
    assert.isAbove(endedChildren() ?? 0, before ?? 0)
  })
})
