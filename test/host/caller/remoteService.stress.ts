import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Host } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { local, type RemoteKind, runJob, until } from "../../support/hosts.ts"
import { Lean } from "../services/lean.ts"

/** 200 in all by default. */
const factor = Number(process.env["ROUNDS"] ?? 1)
const rounds: ReadonlyArray<[host: RemoteKind, rounds: number]> = [["thread", 140 * factor], ["process", 60 * factor]]

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

/** What this process holds. */
const held = () => ({
  descriptors: readdirSync("/proc/self/fd").length,
  children:
    readdirSync("/proc/self/task").flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter((pid) => pid.trim() !== "")
    ).length,
  threads: readdirSync("/proc/self/task").length,
  resources: process.getActiveResourcesInfo().filter((type) => type !== "Immediate" && type !== "Timeout").length
})

/** What there is more of than before. */
const excess = (before: ReturnType<typeof held>): ReadonlyArray<string> => {
  const now = held()
  return (["descriptors", "children", "threads", "resources"] as const)
    .filter((what) => now[what] > before[what])
    .map((what) => `${now[what]} ${what} instead of ${before[what]}`)
}

setFlagsFromString("--expose-gc")
// safe: with that flag it is there
const collect = runInNewContext("gc") as () => void

const heap = () => {
  // two, so that what finalizers let go of is gone as well
  for (let i = 0; i < 2; i++) collect()
  return process.memoryUsage().heapUsed
}

describe.each(rounds)("a %s host", (host, rounds) => {
  it.live(`started and stopped ${rounds} times leaves nothing behind`, () =>
    Effect.gen(function*() {
      const many = (count: number) =>
        Effect.forEach(Array.from({ length: count }), () => round(host), { concurrency: 4, discard: true })
      // what is loaded or pooled once is no leak
      yield* many(8)
      const before = held()
      const heapBefore = heap()
      yield* many(rounds - 8)
      // the system tells a little later that a pipe has closed
      yield* until("no more is held than before", () => excess(before).length === 0).pipe(
        Effect.catchDefect(() => Effect.sync(() => assert.deepStrictEqual(excess(before), [])))
      )
      assert.isBelow(heap() - heapBefore, 10 * 2 ** 20, "the heap grew")
    }).pipe(local), 120_000 + 2_000 * rounds)
})
