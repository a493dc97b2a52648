import { assert, describe, it } from "@effect/vitest"
import type { JobHistory } from "../../../src/page/api/models.ts"
import {
  cpuLines,
  extended,
  noHistory,
  percentileLines,
  rateLines,
  timesOf
} from "../../../src/page/metrics/history.ts"

const sample = (second: number, counts: ReadonlyArray<number>, p95Ms: ReadonlyArray<number | null> = [null]) => ({
  at: new Date(second * 1_000).toISOString(),
  cpu: 0.25,
  memory: 1024 * 1024,
  loopDelayMs: 2,
  counts,
  p95Ms
})
const stages = [{ kind: "source", name: "ticks" }]
const history = (...samples: JobHistory["samples"]): JobHistory => ({ stages, samples })

describe("the history of a job on the page", () => {
  it("is extended by what is new, and replaced by that of other stages", () => {
    const known = extended(noHistory, history(sample(5, [1])))
    assert.deepStrictEqual(timesOf(extended(known, history(sample(10, [2])))), [5, 10])
    const other = { stages: [{ kind: "stage", name: "other" }], samples: [sample(15, [1])] }
    assert.deepStrictEqual(extended(known, other), other)
    const more = { stages: [...stages, { kind: "stage", name: "late" }], samples: [sample(10, [2, 1])] }
    assert.deepStrictEqual(timesOf(extended(known, more)), [5, 10])
  })

  it("keeps an hour", () => {
    const long = Array.from({ length: 720 }, (_, n) => sample(5 * n, [n]))
    const times = timesOf(extended(history(...long), history(sample(3_600, [720]))))
    assert.deepStrictEqual([times.length, times[0], times.at(-1)], [720, 5, 3_600])
  })

  it("has rates between samples, and none where a counter fell or was not there yet", () => {
    const [line] = rateLines(
      history(sample(5, []), sample(10, [50]), sample(15, [75]), sample(20, [5]), sample(20, [9]))
    )
    assert.deepStrictEqual(line, { name: "ticks", values: [null, 10, 5, null, null] })
  })

  it("has percentiles of the stages of which they are known, and the processor in per cent", () => {
    assert.deepStrictEqual(percentileLines(history(sample(5, [1]))), [])
    assert.deepStrictEqual(percentileLines(history(sample(5, [1]), sample(10, [2], [7]))), [
      { name: "ticks", values: [null, 7] }
    ])
    assert.deepStrictEqual(cpuLines(history(sample(5, [1])))[0]?.values, [25])
  })
})
