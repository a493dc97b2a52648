import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { url } from "node:inspector"
import { startManager } from "../../src/manager/startManager.ts"
import { temporaryFolder } from "../support/folder.ts"

describe("the signal that opens Node's debugger", () => {
  it.live("opens none in a process while it has a job manager", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      yield* Effect.scoped(Effect.gen(function*() {
        yield* startManager({ jobs: [], folder, port: 0 })
        const received = new Promise<void>((resolve) => process.once("SIGUSR1", () => resolve()))
        process.kill(process.pid, "SIGUSR1")
        yield* Effect.promise(() => received)
        assert.isUndefined(url())
        assert.isAtLeast(process.listenerCount("SIGUSR1"), 1)
      }))
      assert.strictEqual(process.listenerCount("SIGUSR1"), 0)
    }).pipe(Effect.scoped))
})
