import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Host } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { local, type RemoteKind, runJob, until } from "../../support/hosts.ts"
import { rounds } from "../../support/rounds.ts"
import { Lean } from "../services/lean.ts"

const kinds: ReadonlyArray<[host: RemoteKind, rounds: number]> = [
  ["thread", rounds(24, 1_000)],
  ["process", rounds(16, 400)]
]

const round = (host: RemoteKind) =>
  Effect.gen(function*() {
    const { report } = yield* runJob(
      Effect.gen(function*() {
        const { double } = yield* Lean
        assert.strictEqual(yield* double({ n: 4 }), 8)
      }),
      Host.layer(Lean, { host, heartbeat: "50 millis" })
    )
    assertClean(report)
  })

/** The resources that this process holds. */
const held = () => ({
  descriptors: readdirSync("/proc/self/fd").length,
  children:
    readdirSync("/proc/self/task").flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter((pid) => pid.trim() !== "")
    ).length,
  threads: readdirSync("/proc/self/task").length,
  resources: process.getActiveResourcesInfo().filter((type) => type !== "Immediate" && type !== "Timeout").length
})

/** The resources of which there are more than before. */
const excess = (before: ReturnType<typeof held>): ReadonlyArray<string> => {
  const now = held()
  return (["descriptors", "children", "threads", "resources"] as const)
    .filter((what) => now[what] > before[what])
    .map((what) => `${now[what]} ${what} instead of ${before[what]}`)
}

setFlagsFromString("--expose-gc")
// safe: the flag defines it
const collect = runInNewContext("gc") as () => void

const heap = () => {
  // the second one collects what finalizers have released
  for (let i = 0; i < 2; i++) collect()
  return process.memoryUsage().heapUsed
}

describe.each(kinds)("a %s host", (host, many) => {
  it.live(`started and stopped ${many} times leaves nothing behind`, () =>
    Effect.gen(function*() {
      const repeat = (count: number) =>
        Effect.forEach(Array.from({ length: count }), () => round(host), { concurrency: 4, discard: true })
      // modules and pools that are made once are no leak
      yield* repeat(8)
      const before = held()
      const heapBefore = heap()
      yield* repeat(many - 8)
      // a pipe may close a little later
      yield* until("no more is held than before", () => excess(before).length === 0).pipe(
        Effect.catchDefect(() => Effect.sync(() => assert.deepStrictEqual(excess(before), [])))
      )
      assert.isBelow(heap() - heapBefore, 10 * 2 ** 20, "the heap grew")
    }).pipe(local), 120_000 + 2_000 * many)
})
