import type { StageReport } from "../StopReport.ts"
import type { Labels, MetricName } from "./instruments.ts"
import type { Update } from "./runMeter.ts"

const activities = ["busy", "idle", "backpressured"] as const

/** The middle of an octave of microseconds, in seconds. A job may send any number of octaves. */
const octaveSeconds = (octave: number): number => 1.5 * 2 ** Math.min(octave, 40) / 1_000_000

/** The most values that one stage adds to a histogram at once: a job says what it likes. */
const mostValues = 2_000

/** The counters of a job's pipelines as what was added since they were last read. */
export class StageMeter {
  readonly #job: string
  readonly #read = new Map<string, StageReport>()

  constructor(job: string) {
    this.#job = job
  }

  apply(stages: ReadonlyArray<StageReport>): ReadonlyArray<Update> {
    return stages.flatMap((stage) => {
      const { kind, name } = stage
      const key = `${kind} ${name}`
      const before = this.#read.get(key)
      this.#read.set(key, stage)
      const labels = { job_name: this.#job, stage: name, kind }
      return [
        ...added("autostop.stage.elements", before?.count, stage.count, labels),
        ...added("autostop.stage.dropped", before?.dropped, stage.dropped, labels),
        ...activities.flatMap((state) =>
          added("autostop.stage.time", before?.timeMs?.[state], stage.timeMs?.[state], { ...labels, state }, 1_000)
        ),
        ...durationsAdded(before?.durations, stage.durations, labels),
        ...underWay(before, stage, labels)
      ]
    })
  }

  /** Counts from zero, because the job has ended or begins another attempt. Nothing is under way any longer. */
  restart(): ReadonlyArray<Update> {
    const ended = [...this.#read.values()].flatMap((stage) =>
      underWay(stage, undefined, { job_name: this.#job, stage: stage.name, kind: stage.kind })
    )
    this.#read.clear()
    return ended
  }
}

const added = (metric: MetricName, before = 0, now = 0, labels: Labels, unit = 1): ReadonlyArray<Update> =>
  now > before ? [{ metric, value: (now - before) / unit, labels }] : []

/** The change of what a stage has under way. */
const underWay = (
  before: StageReport | undefined,
  now: StageReport | undefined,
  labels: Labels
): ReadonlyArray<Update> => [
  ...changed("autostop.stage.in_flight", before?.inFlight, now?.inFlight, labels),
  ...changed("autostop.stage.held", before?.held, now?.held, labels)
]

const changed = (metric: MetricName, before = 0, now = 0, labels: Labels): ReadonlyArray<Update> =>
  now === before ? [] : [{ metric, value: now - before, labels }]

const durationsAdded = (
  before: ReadonlyArray<number> = [],
  now: ReadonlyArray<number> = [],
  labels: Labels
): ReadonlyArray<Update> => {
  let left = mostValues
  return now.flatMap((count, octave): ReadonlyArray<Update> => {
    const times = Math.min(left, count - (before[octave] ?? 0))
    if (times <= 0) return []
    left -= times
    return [{ metric: "autostop.stage.duration", value: octaveSeconds(octave), labels, times }]
  })
}
