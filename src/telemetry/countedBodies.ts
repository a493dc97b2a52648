import type { HttpBody } from "effect/http/HttpBody"
import type { OtlpSerialization } from "effect/observability/OtlpSerialization"

/** Knows how many spans, metrics or records are in each body that is sent; nothing of one that was compressed since. */
export class CountedBodies {
  readonly #counts = new WeakMap<HttpBody, number>()

  count(body: HttpBody): number {
    return this.#counts.get(body) ?? 0
  }

  /** Returns a serialization whose bodies are counted. */
  of({ logs, metrics, traces }: OtlpSerialization["Service"]): OtlpSerialization["Service"] {
    const counted = (body: HttpBody, count: number): HttpBody => {
      this.#counts.set(body, count)
      return body
    }
    return {
      traces: (data) =>
        counted(traces(data), sum(data.resourceSpans, (one) => sum(one.scopeSpans, ({ spans }) => spans.length))),
      metrics: (data) =>
        counted(
          metrics(data),
          sum(data.resourceMetrics, (one) => sum(one.scopeMetrics, ({ metrics }) => metrics.length))
        ),
      logs: (data) =>
        counted(
          logs(data),
          sum(data.resourceLogs, (one) => sum(one.scopeLogs, ({ logRecords = [] }) => logRecords.length))
        )
    }
  }
}

const sum = <A>(all: ReadonlyArray<A>, of: (one: A) => number): number => all.reduce((sum, one) => sum + of(one), 0)
