/** The rates of stages, made of their counters. */
import type { StageReport } from "../api/models.ts"

export interface StageSample {
  /** The time on the clock of this browser that nobody sets. */
  readonly atMs: number
  readonly counts: ReadonlyArray<number>
  readonly times: ReadonlyArray<StageReport["timeMs"]>
}

/** The shares of its time that a stage spent in each activity. */
export interface Shares {
  readonly busy: number
  readonly idle: number
  readonly backpressured: number
}

export interface StageRate extends StageReport {
  /** Elements in a second; `undefined` until two samples tell. */
  readonly rate: number | undefined
  /** `undefined` unless its times are measured and some has passed. */
  readonly shares: Shares | undefined
}

/** The number of samples that are kept: more than rates are over. */
const maxSamples = 30
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
    const sample = { atMs, counts: stages.map(({ count }) => count), times: stages.map(({ timeMs }) => timeMs) }
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
      return {
        ...stage,
        rate: seconds < 0.5 ? undefined : Math.max(0, stage.count - before) / seconds,
        // a stage that has sent nothing new since then has the shares of all of its time
        shares: sharesOf(stage.timeMs, from?.times[index]) ?? sharesOf(stage.timeMs, undefined)
      }
    })
  }
}

const none = { busy: 0, idle: 0, backpressured: 0 }

const sharesOf = (now: StageReport["timeMs"] = none, before: StageReport["timeMs"] = none): Shares | undefined => {
  const busy = Math.max(0, now.busy - before.busy)
  const idle = Math.max(0, now.idle - before.idle)
  const backpressured = Math.max(0, now.backpressured - before.backpressured)
  const all = busy + idle + backpressured
  return all > 0 ? { busy: busy / all, idle: idle / all, backpressured: backpressured / all } : undefined
}
