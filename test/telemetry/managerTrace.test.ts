import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { collector, type ReceivedSpan } from "../support/collector.ts"
import { Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"

const traced = fileURLToPath(new URL("programs/traced.ts", import.meta.url))
const calling = fileURLToPath(new URL("programs/calling.ts", import.meta.url))
const submits = fileURLToPath(new URL("programs/submits.ts", import.meta.url))

/** A collector that hangs does so for ever. */
const enoughMs = 60_000

const traceId = "0af7651916cd43dd8448eb211c80319c"
const submitter = "b7ad6b7169203331"

/** A busy machine may need long for what a collector takes. */
const patient = { AUTOSTOP_TELEMETRY_TIMEOUT: "5 minutes" }

const serving = (url: string, limit: Record<string, string> = patient, module = traced) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      Server.start(["--jobs", module], {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20secret",
        OTEL_BSP_SCHEDULE_DELAY: "100",
        ...limit
      })
    ),
    (server) => Effect.promise(() => server[Symbol.asyncDispose]())
  )

const ask = (server: Server, path: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const headers = { authorization: `Bearer ${server.token}`, "content-type": "application/json" }
    const response = await fetch(`${server.url}${path}`, { ...init, headers: { ...headers, ...init.headers } })
    return response.text()
  })

const submit = (server: Server, id: string, payload: object, more: object = {}, flags = "01") =>
  ask(server, "/jobs", {
    method: "POST",
    headers: { traceparent: `00-${traceId}-${submitter}-${flags}` },
    body: JSON.stringify({ id, job: "traced", payload, ...more })
  })

/** Waits for a job's end by its feed of events. */
const ended = (server: Server, id: string) => ask(server, `/jobs/${id}/events?follow=true`)

const one = (spans: ReadonlyArray<ReceivedSpan>, name: string): ReceivedSpan =>
  spans.find((span) => span.name === name) ?? assert.fail(`no span "${name}" in ${spans.map(({ name }) => name)}`)

/** The names of a span and of those that it lies in, the outermost first. */
const pathOf = (spans: ReadonlyArray<ReceivedSpan>, span: ReceivedSpan): string => {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
  return parent === undefined ? span.name : `${pathOf(spans, parent)} > ${span.name}`
}

const awaitSpan = Effect.fnUntraced(function*(spans: () => ReadonlyArray<ReceivedSpan>, name: string) {
  while (!spans().some((span) => span.name === name)) yield* Effect.sleep(20)
  return spans()
})

describe("the trace of a job at a manager", () => {
  it.live("goes from the request to the last release, with the spans of the job's own code", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url)
      yield* submit(server, "first", { ms: 10 })
      yield* ended(server, "first")
      const spans = yield* awaitSpan(receiver.spans, "job traced")
      for (const span of spans) assert.strictEqual(span.traceId, traceId, span.name)
      assert.strictEqual(one(spans, "POST").parentSpanId, submitter)
      assert.deepStrictEqual(
        ["queued", "start Db", "a span of the user", "release Db"].map((name) => pathOf(spans, one(spans, name))),
        [
          "POST > job traced > queued",
          "POST > job traced > attempt > start Db",
          "POST > job traced > attempt > run > a span of the user",
          "POST > job traced > attempt > stop > release > release Db"
        ]
      )
      const logs = yield* ask(server, "/jobs/first/logs")
      assert.include(logs, "otel: none")
      yield* Effect.promise(() => server.server.signal("SIGTERM").ended())
      const line = receiver.logs().find(({ body }) => body.stringValue === "otel: none")
      assert.strictEqual(line?.traceId, traceId)
      assert.strictEqual(line?.spanId, one(spans, "run").spanId)
      assert.deepStrictEqual(
        line?.attributes.map(({ key, value }) => [key, value.stringValue]),
        [["autostop.job.name", "traced"], ["autostop.job.id", "first"], ["log.iostream", "stdout"]]
      )
    }).pipe(Effect.scoped, Effect.timeout("110 seconds")))

  it.live("begins at the span that is stored with the job", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url)
      yield* submit(server, "first", { ms: 10 })
      yield* ended(server, "first")
      const spans = yield* awaitSpan(receiver.spans, "job traced")
      const info: { traceparent?: string } = JSON.parse(yield* ask(server, "/jobs/first"))
      assert.strictEqual(info.traceparent, `00-${traceId}-${one(spans, "POST").spanId}-01`)
    }).pipe(Effect.scoped, Effect.timeout("110 seconds")))

  it.live("is there although the manager was killed, and links each attempt to the one before", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url)
      const restart = { policy: "fixed", delayMs: 1, times: 1 }
      const stopPolicy = { deadline: "500 millis", drainTimeout: 0, cancelTimeout: 100, releaseTimeout: 100 }
      yield* submit(server, "killed", { ms: 1_000_000 }, { restart, stopPolicy })
      yield* awaitSpan(receiver.spans, "a span of the user")
      yield* Effect.promise(() => server.server.signal("SIGKILL").ended())
      yield* Effect.promise(() => server.again())
      // the second attempt runs: its code has made its span
      while (receiver.spans().filter(({ name }) => name === "a span of the user").length < 2) yield* Effect.sleep(20)
      yield* ask(server, "/jobs/killed/stop", { method: "POST", body: JSON.stringify({ mode: "cancel" }) })
      yield* ended(server, "killed")
      const spans = yield* awaitSpan(receiver.spans, "job traced")
      const attempts = spans.filter(({ name }) => name === "attempt")
      assert.strictEqual(attempts.length, 2)
      const [first, second] = attempts
      assert.deepStrictEqual(second?.links.map(({ spanId }) => spanId), [first?.spanId])
      // the code of each attempt knew the span that it lies in before that was exported
      const users = spans.filter(({ name }) => name === "a span of the user")
      assert.deepStrictEqual(
        users.map((span) => pathOf(spans, span)),
        users.map(() => "POST > job traced > attempt > run > a span of the user")
      )
      assert.strictEqual(new Set(spans.map(({ spanId }) => spanId)).size, spans.length)
    }).pipe(Effect.scoped, Effect.timeout("90 seconds")))

  it.live("begins at a program that submits it, if that exports its own", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url)
      const program = new Started([submits, server.url, server.token], server.env)
      assert.strictEqual(yield* Effect.promise(() => program.ended()), 0, program.stderr)
      const spans = yield* awaitSpan(receiver.spans, "job traced")
      assert.strictEqual(
        pathOf(spans, one(spans, "release Db")),
        "job main > run > submit traced > POST > POST > job traced > attempt > stop > release > release Db"
      )
    }).pipe(Effect.scoped, Effect.timeout("110 seconds")))

  it.live("costs a manager that ends half a second, if the collector hangs, and the loss is said", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url, {})
      yield* submit(server, "lost", { ms: 1 })
      yield* ended(server, "lost")
      receiver.behaviour = "hang"
      const at = performance.now()
      assert.strictEqual(yield* Effect.promise(() => server.server.signal("SIGTERM").ended()), 143)
      assert.isBelow(performance.now() - at, enoughMs)
      assert.match(server.server.stdout + server.server.stderr, /telemetry: some .* did not answer within 0\.5 s/)
    }).pipe(Effect.scoped, Effect.timeout("110 seconds")))

  it.live("has the calls of the job to hosts of its services, which are also in the manager's metrics", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url, patient, calling)
      yield* ask(server, "/jobs", { method: "POST", body: JSON.stringify({ id: "calls", job: "calling" }) })
      yield* ended(server, "calls")
      const spans = yield* awaitSpan(receiver.spans, "job calling")
      const inHost = spans.filter(({ name }) => name === "a span of the host")
      assert.deepStrictEqual(
        inHost.map((span) => pathOf(spans, span)),
        Array.from(
          { length: 3 },
          () => "POST > job calling > attempt > run > call traced/Echo.say > call traced/Echo.say > a span of the host"
        )
      )
      const metrics = yield* ask(server, "/metrics")
      const labels = `job_name="calling",service="traced/Echo"`
      for (const side of ["client", "server"]) {
        assert.include(metrics, `rpc_${side}_call_duration_seconds_count{${labels},rpc_method="say"} 3`)
      }
      assert.include(metrics, `autostop_host_calls_active{${labels},host="process"} 0`)
    }).pipe(Effect.scoped, Effect.timeout("110 seconds")))

  it.live("is not exported if its submitter does not want it, nor are requests that are no submits", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const server = yield* serving(receiver.url)
      yield* submit(server, "unsampled", { ms: 1 }, {}, "00")
      yield* ended(server, "unsampled")
      for (const path of ["/metrics", "/jobs", "/jobs/none", "/info", "/health/ready"]) yield* ask(server, path)
      yield* Effect.promise(() => server.server.signal("SIGTERM").ended())
      assert.deepStrictEqual(receiver.spans().map(({ name }) => name), [])
      const metrics = receiver.metrics()
      for (const name of ["autostop.jobs", "autostop.job.duration", "autostop.queue.depth"]) {
        assert.isTrue(metrics.has(name), name)
      }
    }).pipe(Effect.scoped, Effect.timeout("110 seconds")))
})
