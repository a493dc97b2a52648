/** The metrics that autostop has: their names, kinds, units and buckets. Units are seconds, bytes and shares of 1. */
import * as Metric from "effect/Metric"

/** A share is one of 1. */
type Unit = "s" | "By" | "1" | "share"

/** The ends of names for Prometheus. */
const endings = { s: "_seconds", By: "_bytes", 1: "", share: "_ratio" } as const satisfies Record<Unit, string>

/** The description of a metric, of which one of Effect is made. */
export interface Instrument {
  readonly kind: "counter" | "gauge" | "histogram"
  readonly unit: Unit
  readonly about: string
  /** The upper bounds of its buckets, if it is a histogram. */
  readonly buckets?: ReadonlyArray<number>
  /** The name for Prometheus, if that is not made of the own one. */
  readonly prometheus?: string
}

/** From a millisecond to the longest deadline that is common. */
const stopSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 300]
/** From what a test takes to a month. */
const jobSeconds = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 604_800, 2_592_000]
/** From a call within this machine to one that takes long. */
const callSeconds = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, ...stopSeconds.slice(0, -2)]
/** The octaves that the durations of stages are counted in, from 16 µs to a minute. */
const chunkSeconds = Array.from({ length: 23 }, (_, octave) => 2 ** (octave + 4) / 1_000_000)
const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1]

const histogram = (about: string, buckets: ReadonlyArray<number>, unit: Unit = "s") =>
  ({ kind: "histogram", unit, about, buckets }) as const
const counter = (about: string, unit: Unit = "1") => ({ kind: "counter", unit, about }) as const
const gauge = (about: string, unit: Unit = "1") => ({ kind: "gauge", unit, about }) as const

export const instruments = {
  "autostop.stop.duration": histogram("The time from the request of a stop to its end.", stopSeconds),
  "autostop.stop.phase.duration": histogram("The time of each phase of a stop.", stopSeconds),
  "autostop.stop.deadline.used": histogram("The share of its deadline that a stop took.", shares, "share"),
  "autostop.service.start.duration": histogram("The time of the start of a service.", stopSeconds),
  "autostop.service.release.duration": histogram("The time of the release of a service.", stopSeconds),
  "autostop.job.duration": histogram("The time from the start of a job to its end.", jobSeconds),
  "autostop.job.queue.duration": histogram("The time that a job waited for its first start.", jobSeconds),
  "autostop.job.restarts": counter("The restarts of jobs."),
  "autostop.host.restarts": counter("The restarts of hosts of services."),
  "autostop.host.kills": counter("The hosts of services that were killed."),
  "autostop.host.calls.active": gauge("The calls that hosts of services have and did not answer yet."),
  "rpc.client.call.duration": histogram("The time from the sending of a call to its answer.", callSeconds),
  "rpc.server.call.duration": histogram("The time that the handler of a call takes at its host.", callSeconds),
  "autostop.stage.elements": counter("The elements that left a stage of a pipeline."),
  "autostop.stage.dropped": counter("The elements that a stage took in and never handed on."),
  "autostop.stage.time": counter("The time that stages were busy, idle or backpressured.", "s"),
  "autostop.stage.duration": histogram(
    "The time of a chunk in a stage, or of an element in one that works in parallel; of a part of them.",
    chunkSeconds
  ),
  "autostop.stage.in_flight": gauge("The elements that a stage works on."),
  "autostop.stage.held": gauge("The elements that a stage has taken in and not handed on yet."),
  "autostop.jobs": gauge("The number of jobs in each state."),
  "autostop.queue.depth": gauge("The jobs that wait for a slot or for their restart."),
  "autostop.ready": gauge("1 if the manager takes jobs, else 0."),
  "autostop.uptime": gauge("The time since the start of the manager.", "s"),
  "process.cpu.time": {
    ...counter("The processor time of this process.", "s"),
    prometheus: "process_cpu_seconds_total"
  },
  "process.memory.usage": {
    ...gauge("The resident memory of this process.", "By"),
    prometheus: "process_resident_memory_bytes"
  },
  "v8js.memory.heap.used": {
    ...gauge("The memory of the objects in the heap of this process.", "By"),
    prometheus: "nodejs_heap_size_used_bytes"
  },
  "nodejs.eventloop.delay.mean": gauge("The mean delay of the event loop in the last seconds.", "s"),
  "nodejs.eventloop.delay.p50": gauge("The delay of the event loop in the last seconds, 50th percentile.", "s"),
  "nodejs.eventloop.delay.p99": gauge("The delay of the event loop in the last seconds, 99th percentile.", "s"),
  "nodejs.eventloop.delay.max": gauge("The longest delay of the event loop in the last seconds.", "s"),
  "nodejs.eventloop.utilization": gauge("The share of the last seconds in which the event loop was at work.", "share")
} as const satisfies Readonly<Record<string, Instrument>>

export type MetricName = keyof typeof instruments

/** Returns the name of a metric for Prometheus, with its unit and, for a counter, `_total`. */
export const prometheusName = (name: string): string => {
  const known: Instrument | undefined = Object.hasOwn(instruments, name) ? instruments[name as MetricName] : undefined
  if (known === undefined) return name
  if (known.prometheus !== undefined) return known.prometheus
  return `${name.replaceAll(".", "_")}${endings[known.unit]}${known.kind === "counter" ? "_total" : ""}`
}

export type Labels = Readonly<Record<string, string>>

/** Returns the upper bounds of the buckets of a histogram. */
export const bucketsOf = (name: MetricName): ReadonlyArray<number> => {
  const { buckets }: Instrument = instruments[name]
  return buckets ?? []
}

/** Returns the metric of Effect that has this name, with labels. Each call makes another one of the same series. */
export const metricOf = (name: MetricName, labels: Labels): Metric.Metric<number, unknown> => {
  const { about, kind, unit }: Instrument = instruments[name]
  const given = { description: about, attributes: unit === "s" || unit === "By" ? { ...labels, unit } : labels }
  switch (kind) {
    case "counter":
      return Metric.counter(name, { ...given, incremental: true })
    case "gauge":
      return Metric.gauge(name, given)
    case "histogram":
      return Metric.histogram(name, { ...given, boundaries: bucketsOf(name) })
  }
}
