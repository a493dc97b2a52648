import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Manager } from "../../src/manager/Manager.ts"
import { temporaryFolder } from "../support/folder.ts"
import { rounds } from "../support/rounds.ts"
import { managerService, Processes } from "../support/managerService.ts"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

/** What a manager holds: memory, descriptors and files. */
const measure = (folder: string) =>
  Effect.promise(async () => {
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    const sizeOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
    return {
      heap: process.memoryUsage().heapUsed,
      descriptors: readdirSync("/proc/self/fd").length,
      store: sizeOf("jobs.db"),
      wal: sizeOf("jobs.db-wal"),
      files: readdirSync(folder, { recursive: true }).length
    }
  })

/** The jobs of one round; what is kept of those that have stopped is removed after it. */
const round = rounds(250, 1_000)
const count = 20

describe("a job manager", () => {
  it.live(`holds no more after ${count * round} jobs than after a fifth of them`, () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function*() {
        const manager = yield* Manager
        const processes = yield* Processes
        const run = (id: string) =>
          Effect.gen(function*() {
            yield* manager.submit({ job: "it", id, payload: { text: "x".repeat(200) } })
            while (processes.get(id) === undefined) yield* Effect.yieldNow
            const process = processes.get(id)
            process?.report({ _tag: "RunStarted", at: new Date(0).toISOString() })
            process?.succeed()
            yield* Stream.runDrain(manager.events(id, { after: 0, follow: true }))
            processes.delete(id)
          })
        let early: Effect.Success<ReturnType<typeof measure>> | undefined
        for (let n = 0; n < count; n++) {
          const ids = Array.from({ length: round }, (_, index) => `job-${n}-${index}`)
          yield* Effect.forEach(ids, run, { concurrency: 4, discard: true })
          yield* manager.clean(new Date(Date.now() + 1_000).toISOString())
          if (n === count / 5 - 1) early = yield* measure(folder)
        }
        const late = yield* measure(folder)
        if (early === undefined) return assert.fail("nothing was measured")
        assert.isAtMost(late.heap, early.heap + 4 * 1_024 * 1_024)
        assert.isAtMost(late.descriptors, early.descriptors + 2)
        assert.isAtMost(late.store, early.store * 1.2)
        assert.isAtMost(late.wal, Math.max(early.wal * 1.2, 8 * 1_024 * 1_024))
        assert.isAtMost(late.files, early.files + 2)
      }).pipe(Effect.provide(managerService({ folder, jobs: ["it"] })))
    }).pipe(Effect.scoped))
})
