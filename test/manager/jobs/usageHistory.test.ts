import { assert, describe, it } from "@effect/vitest"
import { UsageHistory } from "../../../src/manager/jobs/usageHistory.ts"
import type { StageReport } from "../../../src/StopReport.ts"

const usage = (cpuMs: number, memory = 1_000, loopDelayMs = 0) =>
  ({ _tag: "Usage", cpuMs, memory, loopDelayMs }) as const
const source = (count: number, p95Ms?: number): StageReport => ({
  name: "ticks",
  kind: "source",
  count,
  ...(p95Ms === undefined ? {} : { p95Ms })
})
const iso = (ms: number): string => new Date(ms).toISOString()

describe("the history of a job", () => {
  it("has what was used between two messages of its process, and what the stages had done by then", () => {
    const history = new UsageHistory()
    history.add(usage(400), [], 1_000)
    assert.deepStrictEqual(history.after().samples, [])
    history.add(usage(2_900, 5_000, 12), [source(7, 3)], 6_000)
    assert.deepStrictEqual(history.after(), {
      stages: [{ kind: "source", name: "ticks" }],
      samples: [{ at: iso(6_000), cpu: 0.5, memory: 5_000, loopDelayMs: 12, counts: [7], p95Ms: [3] }]
    })
  })

  it("has what is new after a time, and keeps an hour", () => {
    const history = new UsageHistory()
    for (let n = 0; n <= 1_000; n++) history.add(usage(n), [source(n)], n * 5_000)
    const { samples } = history.after()
    assert.strictEqual(samples.length, 720)
    assert.strictEqual(samples.at(-1)?.at, iso(5_000_000))
    assert.deepStrictEqual(history.after(iso(4_990_000)).samples.map(({ counts }) => counts), [[999], [1_000]])
    assert.deepStrictEqual(history.after(iso(5_000_000)).samples, [])
  })

  it("never tells less than nothing of a process that begins anew, or whose clock stands", () => {
    const history = new UsageHistory()
    history.add(usage(9_000), [], 1_000)
    history.add(usage(9_500), [], 1_000)
    history.restart()
    history.add(usage(100), [], 6_000)
    history.add(usage(50), [], 11_000)
    assert.deepStrictEqual(history.after().samples.map(({ cpu }) => cpu), [0])
  })

  it("begins again with the stages of another attempt, and has numbers of a hundred at most", () => {
    const history = new UsageHistory()
    history.add(usage(0), [], 0)
    history.add(usage(1), [source(1)], 5_000)
    const many = Array.from({ length: 150 }, (_, n): StageReport => ({ name: `stage ${n}`, kind: "stage", count: n }))
    history.add(usage(2), many, 10_000)
    const { samples, stages } = history.after()
    assert.deepStrictEqual([samples.length, stages.length, samples[0]?.counts.length], [1, 100, 100])
  })
})
