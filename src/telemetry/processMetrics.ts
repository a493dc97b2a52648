/** The metrics of this process: processor time, memory, and the delay of its event loop. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { performance } from "node:perf_hooks"
import { type MetricName, metricOf } from "./instruments.ts"
import { delayMs, measureDelay } from "./loopDelay.ts"

/** The shortest time that a measurement of the event loop covers. */
const windowMs = 10_000

/** Adds the metrics of this process, which are measured when they are read. Returns a function that ends that. */
export const registerProcessMetrics = (context: Context.Context<never>): () => void => {
  const loop = measureLoop()
  const parts = [
    counter(context, "process.cpu.time", () => {
      const { system, user } = process.cpuUsage()
      return (system + user) / 1_000_000
    }),
    gauge(context, "process.memory.usage", () => process.memoryUsage.rss()),
    gauge(context, "v8js.memory.heap.used", () => process.memoryUsage().heapUsed),
    gauge(context, "nodejs.eventloop.delay.mean", () => loop.read().mean),
    gauge(context, "nodejs.eventloop.delay.p50", () => loop.read().p50),
    gauge(context, "nodejs.eventloop.delay.p99", () => loop.read().p99),
    gauge(context, "nodejs.eventloop.delay.max", () => loop.read().max),
    gauge(context, "nodejs.eventloop.utilization", () => loop.read().utilization)
  ]
  return () => {
    for (const { remove } of parts) remove()
    loop.end()
  }
}

/** Adds a gauge whose value is found when it is read. */
export const gauge = (context: Context.Context<never>, name: MetricName, read: () => number): Metric.Registration =>
  Metric.registerUnsafe(metricOf(name, {}), context, { ...ignored, get: () => ({ value: read() }) })

const counter = (context: Context.Context<never>, name: MetricName, read: () => number): Metric.Registration =>
  Metric.registerUnsafe(metricOf(name, {}), context, { ...ignored, get: () => ({ count: read(), incremental: true }) })

const ignored = { update: () => {}, modify: () => {} }

interface Loop {
  readonly mean: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly utilization: number
}

/** Measures the event loop. All who read within one window read the same: nobody takes values from another. */
const measureLoop = (): { readonly read: () => Loop; readonly end: () => void } => {
  const delays = measureDelay()
  let began = performance.now()
  let used = performance.eventLoopUtilization()
  let last: Loop | undefined
  const measure = (): Loop => ({
    mean: seconds(delays.mean),
    p50: seconds(delays.percentile(50)),
    p99: seconds(delays.percentile(99)),
    max: seconds(delays.max),
    utilization: performance.eventLoopUtilization(used).utilization
  })
  const read = (): Loop => {
    const now = performance.now()
    if (now - began < windowMs) return last ?? measure()
    last = measure()
    delays.reset()
    used = performance.eventLoopUtilization()
    began = now
    return last
  }
  return { read, end: () => void delays.disable() }
}

const seconds = (nanoseconds: number): number => delayMs(nanoseconds) / 1_000
