import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { StopReport } from "../../src/index.ts"
import { Started } from "../support/cli.ts"
import { type Behaviour, collector } from "../support/collector.ts"
import { temporaryFolder } from "../support/folder.ts"

const shop = fileURLToPath(new URL("programs/shop.ts", import.meta.url))

/** Runs an application until it is ready, and stops it. Returns what it left, and how long it took after its stop. */
const stopped = (env: Record<string, string>, whenReady: () => void = () => {}) =>
  Effect.gen(function*() {
    const path = join(yield* temporaryFolder, "report.json")
    return yield* Effect.promise(async () => {
      const run = await new Started([shop], { AUTOSTOP_REPORT: path, ...env }).said("ready")
      whenReady()
      const code = await run.signal("SIGTERM").ended()
      const report: StopReport = JSON.parse(readFileSync(path, "utf8"))
      const afterMs = Date.now() - Date.parse(report.stoppedAt)
      return { afterMs, code, report, said: run.stderr.split("\n").filter((line) => line.startsWith("telemetry:")) }
    })
  })

const variables = (url: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20secret",
  OTEL_SERVICE_NAME: "the shop",
  OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test"
})

/** A busy machine may need long for what a collector takes: there is time for it, and a bound that is far less. */
const patient = { AUTOSTOP_TELEMETRY_TIMEOUT: "5 minutes" }
const enoughMs = 60_000

describe("an application whose variables name a collector", () => {
  it.live("sends the metrics, the spans and the logs of its stop before it exits", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const { code, report, said } = yield* stopped({ ...variables(receiver.url), ...patient })
      assert.strictEqual(code, 143)
      assert.isTrue(report.clean)
      assert.deepStrictEqual(said, [])
      assert.isUndefined(report.lostTelemetry)
      for (const { headers } of receiver.requests) assert.strictEqual(headers.authorization, "Bearer secret")
      const text = JSON.stringify(receiver.requests[0]?.json)
      assert.include(text, `{"key":"service.name","value":{"stringValue":"the shop"}}`)
      assert.include(text, `{"key":"deployment.environment","value":{"stringValue":"test"}}`)

      const metrics = receiver.metrics()
      for (
        const name of [
          "autostop.stop.duration",
          "autostop.stop.phase.duration",
          "autostop.stop.deadline.used",
          "autostop.service.start.duration",
          "autostop.service.release.duration",
          "autostop.job.duration",
          "process.cpu.time"
        ]
      ) assert.isTrue(metrics.has(name), name)
      assert.strictEqual(metrics.get("autostop.stop.duration")?.unit, "s")

      const spans = receiver.spans()
      const one = (name: string) => spans.find((span) => span.name === name) ?? assert.fail(`no span "${name}"`)
      const parentOf = (name: string) => spans.find(({ spanId }) => spanId === one(name).parentSpanId)?.name
      assert.deepStrictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
      assert.isUndefined(one("job shop").parentSpanId)
      for (const name of ["start shop/Db", "run", "stop", "a span of the user"]) {
        assert.strictEqual(parentOf(name), "job shop", name)
      }
      assert.strictEqual(parentOf("release"), "stop")
      assert.strictEqual(parentOf("release shop/Db"), "release")
      const log = receiver.logs().find(({ body }) => body.stringValue === "a log of the user")
      assert.strictEqual(log?.spanId, one("a span of the user").spanId)
    }).pipe(Effect.scoped))

  const bad: ReadonlyArray<readonly [Behaviour, RegExp]> = [
    ["refuse", /it answered 503\.$/],
    ["hang", /it did not answer within 0\.\d+ s\.$/],
    ["die", /cannot be used: .+\.$/]
  ]
  for (const [behaviour, why] of bad) {
    it.live(`loses no time with a collector that does ${behaviour}, says so, and is clean`, () =>
      Effect.gen(function*() {
        const receiver = yield* collector(behaviour)
        const limit = behaviour === "hang" ? {} : patient
        const { afterMs, code, report, said } = yield* stopped({ ...variables(receiver.url), ...limit })
        assert.strictEqual(code, 143)
        assert.isTrue(report.clean)
        assert.deepStrictEqual(report.leftovers, [])
        assert.isBelow(afterMs, enoughMs)
        assert.isAtLeast(said.length, 1)
        assert.include(said.at(-1), "traces")
        assert.match(said.at(-1) ?? "", why)
        const lost = report.lostTelemetry?.find(({ signal }) => signal === "traces")
        assert.strictEqual(lost?.endpoint, receiver.url)
        assert.isAtLeast(lost?.count ?? 0, 1)
        assert.match(`${lost?.why}.`, why.source.startsWith("cannot") ? /./ : why)
        assert.notInclude(said.join(), "secret")
      }).pipe(Effect.scoped))
  }

  it.live("loses no time with a collector that is not there, nor with one that dies midway", () =>
    Effect.gen(function*() {
      const gone = yield* stopped({ ...variables("http://user:secret@127.0.0.1:1"), ...patient })
      assert.strictEqual(gone.code, 143)
      assert.isTrue(gone.report.clean)
      assert.isBelow(gone.afterMs, enoughMs)
      assert.match(gone.said.at(-1) ?? "", /the collector at http:\/\/127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/)
      assert.notInclude(gone.said.join(), "secret")
      const receiver = yield* collector()
      const cut = yield* stopped(variables(receiver.url), () => receiver.behaviour = "hang")
      assert.isBelow(cut.afterMs, enoughMs)
      assert.strictEqual(cut.code, 143)
      assert.strictEqual(cut.said.length, 1)
    }).pipe(Effect.scoped))

  it.live("waits for one that answers slowly, and loses nothing", () =>
    Effect.gen(function*() {
      const receiver = yield* collector("slow")
      const { said } = yield* stopped({ ...variables(receiver.url), ...patient })
      assert.deepStrictEqual(said, [])
      assert.isDefined(receiver.spans().find(({ name }) => name === "job shop"))
      assert.isTrue(receiver.metrics().has("autostop.stop.duration"))
    }).pipe(Effect.scoped))

  it.live("is charged for its telemetry: a deadline that is spent leaves it no time", () =>
    Effect.gen(function*() {
      const receiver = yield* collector("hang")
      const short = { AUTOSTOP_DEADLINE: "100ms", AUTOSTOP_RELEASE_TIMEOUT: "90ms" }
      const { said } = yield* stopped({ ...variables(receiver.url), ...short })
      const [, limit] = /it did not answer within ([\d.]+) s/.exec(said.at(-1) ?? "") ?? []
      assert.isBelow(Number(limit), 0.1)
    }).pipe(Effect.scoped))

  it.live("sends nothing if it is switched off, and only what is on", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      yield* stopped({ ...variables(receiver.url), OTEL_SDK_DISABLED: "true" })
      assert.deepStrictEqual(receiver.requests, [])
      yield* stopped({
        ...variables(receiver.url),
        ...patient,
        OTEL_LOGS_EXPORTER: "none",
        OTEL_METRICS_EXPORTER: "none"
      })
      assert.deepStrictEqual([...new Set(receiver.requests.map(({ path }) => path))], ["/v1/traces"])
    }).pipe(Effect.scoped))

  it.live("speaks protobuf unless it is told otherwise, and gzip if it is asked to", () =>
    Effect.gen(function*() {
      const receiver = yield* collector()
      const { said } = yield* stopped({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
        ...patient
      })
      assert.deepStrictEqual(said, [])
      const paths = new Set(receiver.requests.map(({ path }) => path))
      assert.deepStrictEqual([...paths].toSorted(), ["/v1/logs", "/v1/metrics", "/v1/traces"])
      for (const { headers } of receiver.requests) {
        assert.strictEqual(headers["content-type"], "application/x-protobuf")
        assert.isAbove(Number(headers["content-length"]), 0)
      }
      // small bodies are not worth it
      const metrics = receiver.requests.find(({ path }) => path === "/v1/metrics")
      assert.strictEqual(metrics?.headers["content-encoding"], "gzip")
    }).pipe(Effect.scoped))

  it.live("runs with variables that are wrong, says which, and keeps their secrets", () =>
    Effect.gen(function*() {
      const { code, report, said } = yield* stopped({
        OTEL_EXPORTER_OTLP_ENDPOINT: "no URL",
        OTEL_EXPORTER_OTLP_HEADERS: "a secret",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:1",
        OTEL_RESOURCE_ATTRIBUTES: "%zz=1",
        OTEL_BSP_SCHEDULE_DELAY: "soon",
        OTEL_LOGS_EXPORTER: "console",
        AUTOSTOP_TELEMETRY_TIMEOUT: "a moment"
      })
      assert.strictEqual(code, 143)
      assert.isTrue(report.clean)
      const text = said.join("\n")
      for (
        const name of [
          "ENDPOINT",
          "HEADERS",
          "OTEL_RESOURCE_ATTRIBUTES",
          "SCHEDULE_DELAY",
          "OTEL_LOGS_EXPORTER",
          "TELEMETRY"
        ]
      ) {
        assert.include(text, name)
      }
      assert.notInclude(text, "a secret")
    }).pipe(Effect.scoped))
})
