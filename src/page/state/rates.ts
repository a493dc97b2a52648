/** The rates of stages, made of their counters. */
import type { StageReport } from "../api/models.ts"

export interface StageSample {
  /** The time on the clock of this browser that nobody sets. */
  readonly atMs: number
  readonly counts: ReadonlyArray<number>
}

export interface StageRate extends StageReport {
  /** Elements in a second; `undefined` until two samples tell. */
  readonly rate: number | undefined
}

/** The number of samples that are kept: an hour of one each second. */
const maxSamples = 3_600
/** The shortest time between two samples. */
const sampleMs = 1_000
/** Rates are over this time. */
const overMs = 5_000

export class StageHistory {
  readonly samples: Array<StageSample> = []
  stages: ReadonlyArray<StageReport> = []

  add(stages: ReadonlyArray<StageReport>, atMs: number): void {
    if (stages.length < this.stages.length) this.samples.length = 0
    this.stages = stages
    const last = this.samples.at(-1)
    const sample = { atMs, counts: stages.map(({ count }) => count) }
    // a counter that fell is one of another attempt
    if (last?.counts.some((count, index) => count > (sample.counts[index] ?? 0))) this.samples.length = 0
    if (last !== undefined && this.samples.length > 0 && atMs - last.atMs < sampleMs) return
    this.samples.push(sample)
    if (this.samples.length > maxSamples) this.samples.shift()
  }

  /** Returns the stages with their rates over the last seconds. */
  rates(nowMs: number): ReadonlyArray<StageRate> {
    const from = this.samples.findLast(({ atMs }) => nowMs - atMs >= overMs) ?? this.samples[0]
    return this.stages.map((stage, index) => {
      const seconds = from === undefined ? 0 : (nowMs - from.atMs) / 1_000
      const before = from?.counts[index] ?? 0
      return { ...stage, rate: seconds < 0.5 ? undefined : Math.max(0, stage.count - before) / seconds }
    })
  }
}
