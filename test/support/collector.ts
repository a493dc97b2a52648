/** A collector of OpenTelemetry, as good or bad as a test wants it. */
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { createServer } from "node:http"

/** What it does with a request. `die`: it closes the connection in the middle of it. */
export type Behaviour = "accept" | "refuse" | "hang" | "slow" | "die"

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean }
}

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly status: { readonly code: number; readonly message?: string }
  readonly links: ReadonlyArray<{ readonly spanId: string; readonly traceId: string }>
}

export interface ReceivedMetric {
  readonly name: string
  readonly unit?: string
  readonly [kind: string]: unknown
}

export interface ReceivedLog {
  readonly body: { readonly stringValue?: string }
  readonly attributes: ReadonlyArray<Attribute>
  readonly traceId?: string
  readonly spanId?: string
}

export interface Collector {
  readonly url: string
  behaviour: Behaviour
  /** Each request: its path, its headers and its JSON. */
  readonly requests: Array<
    { readonly path: string; readonly headers: NodeJS.Dict<string | Array<string>>; readonly json: Exported }
  >
  readonly spans: () => ReadonlyArray<ReceivedSpan>
  /** The latest of each name. */
  readonly metrics: () => ReadonlyMap<string, ReceivedMetric>
  readonly logs: () => ReadonlyArray<ReceivedLog>
}

export interface Exported {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<ReceivedSpan> }>
  }>
  readonly resourceMetrics?: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<ReceivedMetric> }>
  }>
  readonly resourceLogs?: ReadonlyArray<{
    readonly scopeLogs: ReadonlyArray<{ readonly logRecords: ReadonlyArray<ReceivedLog> }>
  }>
}

type Received = ReadonlyArray<Exported>

export const spansOf = (received: Received): ReadonlyArray<ReceivedSpan> =>
  received.flatMap(({ resourceSpans = [] }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  )

/** The latest of each name. */
export const metricsOf = (received: Received): ReadonlyMap<string, ReceivedMetric> =>
  new Map(
    received.flatMap(({ resourceMetrics = [] }) =>
      resourceMetrics.flatMap(({ scopeMetrics }) =>
        scopeMetrics.flatMap(({ metrics }) => metrics.map((metric) => [metric.name, metric] as const))
      )
    )
  )

export const logsOf = (received: Received): ReadonlyArray<ReceivedLog> =>
  received.flatMap(({ resourceLogs = [] }) =>
    resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
  )

export const slowMs = 200

/** Starts a collector in the Scope. */
export const collector = (behaviour: Behaviour = "accept") =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("error", () => {})
          if (state.behaviour === "die") return void setImmediate(() => request.socket.destroy())
          request.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8")
            const { behaviour } = state
            const isTaken = behaviour === "accept" || behaviour === "slow"
            if (isTaken) {
              const isJson = request.headers["content-type"] === "application/json"
              const json: Exported = isJson ? JSON.parse(text) : {}
              state.requests.push({ path: request.url ?? "", headers: request.headers, json })
            }
            if (behaviour === "hang") return
            response.statusCode = behaviour === "refuse" ? 503 : 200
            setTimeout(() => response.end("{}"), behaviour === "slow" ? slowMs : 0)
          })
        })
        server.listen(0, "127.0.0.1")
        await once(server, "listening")
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const received = () => state.requests.map(({ json }) => json)
        const state: Collector = {
          url: `http://127.0.0.1:${port}`,
          behaviour,
          requests: [],
          spans: () => spansOf(received()),
          metrics: () => metricsOf(received()),
          logs: () => logsOf(received())
        }
        return { server, state }
      }),
      ({ server }) =>
        Effect.promise(async () => {
          server.closeAllConnections()
          server.close()
          await once(server, "close")
        })
    ),
    ({ state }) => state
  )
