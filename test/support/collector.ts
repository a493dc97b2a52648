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
  readonly traceId?: string
  readonly spanId?: string
}

export interface Collector {
  readonly url: string
  behaviour: Behaviour
  /** Each request: its path, its headers and its JSON. */
  readonly requests: Array<
    { readonly path: string; readonly headers: NodeJS.Dict<string | Array<string>>; readonly json: any }
  >
  readonly spans: () => ReadonlyArray<ReceivedSpan>
  /** The latest of each name. */
  readonly metrics: () => ReadonlyMap<string, ReceivedMetric>
  readonly logs: () => ReadonlyArray<ReceivedLog>
}

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
              const json: unknown = isJson ? JSON.parse(text) : undefined
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
        const of = (path: string) => state.requests.filter((request) => request.path === path).map(({ json }) => json)
        const state: Collector = {
          url: `http://127.0.0.1:${port}`,
          behaviour,
          requests: [],
          spans: () =>
            of("/v1/traces").flatMap(({ resourceSpans }) =>
              resourceSpans.flatMap(({ scopeSpans }: any) => scopeSpans.flatMap(({ spans }: any) => spans))
            ),
          metrics: () =>
            new Map(
              of("/v1/metrics").flatMap(({ resourceMetrics }) =>
                resourceMetrics.flatMap(({ scopeMetrics }: any) =>
                  scopeMetrics.flatMap(({ metrics }: any) => metrics.map((metric: any) => [metric.name, metric]))
                )
              )
            ),
          logs: () =>
            of("/v1/logs").flatMap(({ resourceLogs }) =>
              resourceLogs.flatMap(({ scopeLogs }: any) => scopeLogs.flatMap(({ logRecords }: any) => logRecords))
            )
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
