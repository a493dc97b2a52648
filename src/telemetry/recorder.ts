/** Records values in metrics of Effect, of a limited number of series. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { shortened } from "../base/format.ts"
import { Histogram, type HistogramCounts } from "./histogram.ts"
import { bucketsOf, instruments, type Labels, type MetricName, metricOf } from "./instruments.ts"
import type { Update } from "./runMeter.ts"

/** The most series of one metric: further names of jobs, services and stages are counted together. */
const maxSeries = 500
/** The longest value of a label, in characters. */
const maxLabel = 200

/** The value of a label instead of names that are too many. */
export const otherLabel = "(other)"

/** The labels whose values are names that somebody has chosen. The others have few values. */
const names = new Set(["job_name", "service", "stage", "rpc.method", "error.type"])

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
    for (const { labels, metric, times, value } of updates) {
      const series = this.#find(metric, labels)
      if (times !== undefined) histogramOf(this.#context, metric, series).add(value, times)
      else if (instruments[metric].kind === "gauge") series.modifyUnsafe(value, this.#context)
      else series.updateUnsafe(value, this.#context)
    }
  }

  /** Sets one gauge, or adds to one counter. */
  set(metric: MetricName, value: number, labels: Labels = {}): void {
    this.#find(metric, labels).updateUnsafe(value, this.#context)
  }

  /** Adds to one gauge, which several have a share of. */
  change(metric: MetricName, by: number, labels: Labels): void {
    this.#find(metric, labels).modifyUnsafe(by, this.#context)
  }

  /** Adds the values of a histogram to one of the same buckets. */
  addAll(metric: MetricName, labels: Labels, counts: HistogramCounts): void {
    histogramOf(this.#context, metric, this.#find(metric, labels)).addAll(counts)
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

/** The histograms that values are added to many at once, by the registry that they are read from. */
const histograms = new WeakMap<Metric.MetricRegistry, Map<string, Histogram>>()

const histogramOf = (context: Context.Context<never>, name: MetricName, series: Series): Histogram => {
  const registry = Context.get(context, Metric.MetricRegistry)
  let known = histograms.get(registry)
  if (known === undefined) histograms.set(registry, known = new Map())
  const key = JSON.stringify([name, series.attributes])
  const found = known.get(key)
  if (found !== undefined) return found
  const histogram = new Histogram(bucketsOf(name))
  known.set(key, histogram)
  Metric.registerUnsafe(series, context, { get: () => histogram.state, update: () => {}, modify: () => {} })
  return histogram
}
