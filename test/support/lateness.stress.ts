import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { measureLateness } from "./lateness.ts"

/** Keeps a processor busy. */
const spinning = Effect.acquireRelease(
  Effect.sync(() => spawn(process.execPath, ["--eval", "for (;;) {}"], { stdio: "ignore" })),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

describe("the lateness of the machine", () => {
  it.live("grows with the load, and is no more than the time that passes", () =>
    Effect.scoped(Effect.gen(function*() {
      const begin = performance.now()
      const lateness = yield* measureLateness
      const before = yield* Effect.andThen(Effect.sleep("1 second"), lateness)
      yield* Effect.all(Array.from({ length: 8 * availableParallelism() }, () => spinning))
      const middle = yield* lateness
      const after = yield* Effect.andThen(Effect.sleep("2 seconds"), lateness)
      assert.isAbove(after - middle, 100)
      assert.isAtMost(before, after)
      assert.isBelow(after, performance.now() - begin)
    })))
})
