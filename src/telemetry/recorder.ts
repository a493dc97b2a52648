/** Records values in metrics of Effect, of a limited number of series. */
import type * as Context from "effect/Context"
import type * as Metric from "effect/Metric"
import { shortened } from "../base/format.ts"
import { instruments, type Labels, type MetricName, metricOf } from "./instruments.ts"
import type { Update } from "./runMeter.ts"

/** The most series of one metric: further names of jobs, services and stages are counted together. */
const maxSeries = 500
/** The longest value of a label, in characters. */
const maxLabel = 200

/** The value of a label instead of names that are too many. */
export const otherLabel = "(other)"

/** The labels whose values are names that somebody has chosen. The others have few values. */
const names = new Set(["job_name", "service", "stage"])

type Series = Metric.Metric<number, unknown>

/** Writes to the registry of metrics that a context has. */
export class Recorder {
  readonly #context: Context.Context<never>
  readonly #series = new Map<MetricName, Map<string, Series>>()

  constructor(context: Context.Context<never>) {
    this.#context = context
  }

  /** Adds to counters and histograms, and to gauges, which several jobs of one name have together. */
  record(updates: ReadonlyArray<Update>): void {
    for (const { labels, metric, times = 1, value } of updates) {
      const series = this.#find(metric, labels)
      if (instruments[metric].kind === "gauge") series.modifyUnsafe(value, this.#context)
      else for (let n = 0; n < times; n++) series.updateUnsafe(value, this.#context)
    }
  }

  /** Sets one gauge, or adds to one counter. */
  set(metric: MetricName, value: number, labels: Labels = {}): void {
    this.#find(metric, labels).updateUnsafe(value, this.#context)
  }

  #find(metric: MetricName, labels: Labels): Series {
    let known = this.#series.get(metric)
    if (known === undefined) this.#series.set(metric, known = new Map())
    const key = JSON.stringify(labels)
    const found = known.get(key)
    if (found !== undefined) return found
    const limited = known.size < maxSeries ? bounded(labels) : summed(labels)
    // the key of what is too long or too many is not kept: there may be any number of them
    const own = JSON.stringify(limited)
    const series = known.get(own) ?? metricOf(metric, limited)
    known.set(own, series)
    return series
  }
}

const bounded = (labels: Labels): Labels => mapped(labels, (_, value) => shortened(value, maxLabel))

const summed = (labels: Labels): Labels => mapped(labels, (name, value) => names.has(name) ? otherLabel : value)

const mapped = (labels: Labels, change: (name: string, value: string) => string): Labels =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, change(name, value)]))
