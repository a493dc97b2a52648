import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { JobEvent } from "../../../src/JobEvent.ts"
import { adoptedState, lostResult, shutdownReason, StoredEvents } from "../../../src/manager/jobs/lostJob.ts"
import { writeResultFile } from "../../../src/manager/resultFile.ts"
import { readProcess } from "../../../src/process/processTable.ts"
import { runs } from "../../support/family.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { at, jobOf, resultOf } from "../../support/store.ts"

const stored = jobOf("a", { state: "starting" })

const storedEvents = (events: ReadonlyArray<JobEvent>) => {
  const past = new StoredEvents(stored)
  events.forEach((event, index) => past.add({ seq: index + 1, event }))
  return past
}

/** Returns the report of a lost job with these stored events that has written no result. */
const reportOf = (...events: ReadonlyArray<JobEvent>) =>
  Effect.scoped(Effect.flatMap(temporaryFolder, (folder) =>
    Effect.map(
      lostResult(stored.info, storedEvents(events).attempt, join(folder, "a.json")),
      ({ report }) => report
    )))

const restarting = { _tag: "JobRestarting", attempt: 1, delayMs: 0, outcome: "cancelled", clean: true } as const

describe("the result of a lost job", () => {
  const stopping: ReadonlyArray<JobEvent> = [
    { _tag: "ServiceStarting", at: at(0), service: "S" },
    { _tag: "StopRequested", at: at(1), trigger: "stopped", mode: "drain", reason: "enough" }
  ]

  it.effect("has what the stored events of its attempt say", () =>
    Effect.gen(function*() {
      const report = yield* reportOf(...stopping)
      assert.include(report, { trigger: "stopped", reason: "enough" })
      assert.deepStrictEqual(report.services.map(({ name }) => name), ["S"])
    }))

  it.effect("has nothing of earlier attempts", () =>
    Effect.gen(function*() {
      const report = yield* reportOf(...stopping, { ...restarting, at: at(2), trigger: "stopped" })
      assert.include(report, { trigger: "lost", reason: "the job manager was lost", outcome: "failed" })
      assert.deepStrictEqual(report.services, [])
    }))

  it.effect("is the one that its process has written, if there is one", () =>
    Effect.scoped(Effect.gen(function*() {
      const file = join(yield* temporaryFolder, "a.json")
      writeResultFile(file, resultOf("a"))
      assert.deepStrictEqual(yield* lostResult(stored.info, storedEvents([]).attempt, file), resultOf("a"))
    })))
})

describe("a lost job whose process was killed, too", () => {
  for (const detached of [false, true]) {
    it.live(`leaves no child${detached ? " in a session of its own" : ""} running, and does not wait for it`, () =>
      Effect.scoped(Effect.gen(function*() {
        const folder = yield* temporaryFolder
        const { grandchild, pid, pidStart } = yield* Effect.promise(() => killedOwner(detached))
        const { report } = yield* lostResult(
          { id: "a", pid, pidStart },
          storedEvents([]).attempt,
          join(folder, "a.json")
        )
        assert.include(report, { trigger: "lost", clean: false })
        assert.isFalse(runs(grandchild))
      })))
  }
})

/** A process that owned another one, led a group, and was killed. */
const killedOwner = async (detached: boolean) => {
  const program = `
    process.env.AUTOSTOP_OWNER = "0-0." + process.pid
    const options = { stdio: "ignore", detached: ${detached} }
    console.log(require("node:child_process").spawn("sleep", ["1000"], options).pid)
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ["-e", program], { detached: true, stdio: ["ignore", "pipe", "inherit"] })
  const { pid = assert.fail("it did not start") } = owner
  const { start: pidStart } = readProcess(pid) ?? assert.fail("it did not start")
  const [line] = await once(owner.stdout, "data")
  owner.kill("SIGKILL")
  await once(owner, "exit")
  const grandchild = Number(line)
  assert.isTrue(runs(grandchild))
  return { grandchild, pid, pidStart }
}

describe("the stored events of a job", () => {
  it("count its failures, and not the stops of its manager", () => {
    const past = storedEvents([
      { ...restarting, at: at(0), trigger: "failed" },
      { ...restarting, at: at(1), trigger: "stopped" },
      { ...restarting, at: at(2), trigger: "lost" }
    ])
    assert.deepStrictEqual(past.failures, [Date.parse(at(0)), Date.parse(at(2))])
    assert.strictEqual(past.seq, 3)
  })
})

describe("the state of a stored job", () => {
  const tagOf = (info: Parameters<typeof jobOf>[1], now = at(0)) => adoptedState(jobOf("a", info), Date.parse(now))._tag

  it("is Queued, or Waiting until its next attempt is due", () => {
    assert.strictEqual(tagOf({ state: "queued" }), "Queued")
    assert.strictEqual(tagOf({ state: "queued", restarts: 1, restartsAt: at(5) }), "Waiting")
    assert.strictEqual(tagOf({ state: "queued", restarts: 1, restartsAt: at(5) }, at(5)), "Queued")
  })

  it("is Lost if an earlier manager had started its process", () => {
    for (const state of ["starting", "running", "stopping"] as const) assert.strictEqual(tagOf({ state }), "Lost")
  })

  it("knows whether that manager was being stopped", () => {
    const stopOf = (reason: string) => {
      const state = adoptedState(jobOf("a", { state: "stopping", reason }), 0)
      return state._tag === "Lost" ? state.stop?.by : assert.fail(state._tag)
    }
    assert.strictEqual(stopOf(shutdownReason), "shutdown")
    assert.isUndefined(stopOf("enough"))
  })
})
