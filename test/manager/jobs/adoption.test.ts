import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { Manager } from "../../../src/manager/Manager.ts"
import { JobStore } from "../../../src/manager/JobStore.ts"
import { openStore } from "../../../src/manager/store/openStore.ts"
import { isLiving, readProcess } from "../../../src/process/processTable.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { settle } from "../../support/jobs.ts"
import { managerService, Processes } from "../../support/managerService.ts"
import { jobOf } from "../../support/store.ts"

/** A process that leads a group of its own, as that of a job does. */
const leader = Effect.acquireRelease(
  Effect.promise(async () => {
    const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })
    await once(child, "spawn")
    return child
  }),
  (child) => Effect.sync(() => void child.kill("SIGKILL"))
)

describe("a job whose manager is gone while its process still runs", () => {
  it.live("takes the place of a job that runs, until its process has ended", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const process = yield* leader
      yield* Effect.gen(function*() {
        const store = yield* JobStore
        yield* store.add(jobOf("lost", { state: "running", pid: process.pid ?? 0 }))
        yield* store.add(jobOf("next", { state: "queued" }))
      }).pipe(Effect.provide(openStore(join(folder, "jobs.db"))))
      yield* Effect.gen(function*() {
        const manager = yield* Manager
        const processes = yield* Processes
        assert.strictEqual((yield* manager.get("next")).state, "queued")
        yield* manager.submit({ job: "it", id: "later" })
        yield* settle
        assert.deepStrictEqual([...processes.keys()], [])
        process.kill("SIGKILL")
        yield* Stream.runDrain(manager.events("lost", { after: 0, follow: true }))
        yield* Stream.runDrain(Stream.takeUntil(manager.changes, () => processes.size > 0))
        assert.strictEqual(processes.size, 1)
      }).pipe(Effect.provide(managerService({ folder, jobs: ["it"], concurrency: 1 })))
    }).pipe(Effect.scoped))

  it.live("keeps no manager from ending", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const process = yield* leader
      yield* Effect.flatMap(JobStore, (store) => store.add(jobOf("lost", { state: "running", pid: process.pid ?? 0 })))
        .pipe(Effect.provide(openStore(join(folder, "jobs.db"))))
      yield* Effect.provide(Manager.use((manager) => manager.get("lost")), managerService({ folder, jobs: ["it"] }))
    }).pipe(Effect.scoped))

  it.live("is not taken for another one that has the id of its process by now", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const process = yield* leader
      const pid = process.pid ?? 0
      const pidStart = (readProcess(pid)?.start ?? 0) - 1
      yield* Effect.flatMap(JobStore, (store) => store.add(jobOf("lost", { state: "running", pid, pidStart })))
        .pipe(Effect.provide(openStore(join(folder, "jobs.db"))))
      yield* Effect.gen(function*() {
        const manager = yield* Manager
        yield* manager.remove("lost", true)
        assert.strictEqual((yield* Effect.flip(manager.get("lost")))._tag, "NotFound")
      }).pipe(Effect.provide(managerService({ folder, jobs: ["it"] })))
      assert.isTrue(isLiving(readProcess(pid)), "a process of others was ended")
    }).pipe(Effect.scoped))
})
