import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Collector } from "../../scripts/otel/collector.ts"
import { Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"
import { type Exported, logsOf, metricsOf, type ReceivedSpan, spansOf } from "../support/collector.ts"

const program = (name: string) => fileURLToPath(new URL(`../telemetry/programs/${name}.ts`, import.meta.url))

let received: ReadonlyArray<Exported> = []
let lost = ""
const collector = await Collector.start()

/** A manager with two jobs, one that is submitted by a program and one that calls a host; and an application. */
beforeAll(async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, AUTOSTOP_TELEMETRY_TIMEOUT: "1 minute" }
  const server = await Server.start(["--jobs", program("traced"), "--jobs", program("calling")], env)
  try {
    const submitter = new Started([program("submits"), server.url, server.token], server.env)
    assert.strictEqual(await submitter.ended(), 0, submitter.stderr)
    const headers = { authorization: `Bearer ${server.token}`, "content-type": "application/json" }
    const body = JSON.stringify({ id: "calls", job: "calling" })
    await fetch(`${server.url}/jobs`, { method: "POST", headers, body })
    await (await fetch(`${server.url}/jobs/calls/events?follow=true`, { headers })).text()
    await server.server.signal("SIGTERM").ended()
    lost = [submitter.stderr, server.server.stdout, server.server.stderr].join("\n")
  } finally {
    await server[Symbol.asyncDispose]()
  }
  const application = await new Started([program("shop")], env).said("ready")
  await application.signal("SIGTERM").ended()
  lost += application.stderr
  await collector.stop()
  received = readFileSync(collector.file, "utf8").trim().split("\n").map((line): Exported => JSON.parse(line))
})

afterAll(async () => {
  await collector.stop()
  collector.remove()
})

/** The names of a span and of those that it lies in, the outermost first. */
const pathOf = (span: ReceivedSpan, spans: ReadonlyArray<ReceivedSpan>): string => {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
  return parent === undefined ? span.name : `${pathOf(parent, spans)} > ${span.name}`
}

describe("a real collector of OpenTelemetry", () => {
  it("takes everything", () => assert.notInclude(lost, "telemetry:"))

  it("has one trace from a submit to the last release", () => {
    const spans = spansOf(received)
    const paths = spans.map((span) => pathOf(span, spans))
    const job = "job main > run > submit traced > POST > POST > job traced"
    for (const rest of ["queued", "attempt > run > a span of the user", "attempt > stop > release > release Db"]) {
      assert.include(paths, `${job} > ${rest}`)
    }
    assert.include(
      paths,
      "POST > job calling > attempt > run > call traced/Echo.say > call traced/Echo.say > a span of the host"
    )
  })

  it("has the metrics of jobs and of calls", () => {
    const metrics = metricsOf(received)
    for (
      const name of [
        "autostop.job.duration",
        "autostop.job.queue.duration",
        "autostop.stop.duration",
        "autostop.stop.phase.duration",
        "autostop.service.release.duration",
        "autostop.host.calls.active",
        "rpc.client.call.duration",
        "rpc.server.call.duration",
        "process.cpu.time"
      ]
    ) assert.isTrue(metrics.has(name), name)
    assert.strictEqual(metrics.get("rpc.client.call.duration")?.unit, "s")
  })

  it("has logs, with the spans that they were made in", () => {
    const log = logsOf(received).find(({ body }) => body.stringValue === "a log of the user")
    const span = spansOf(received).find(({ spanId }) => spanId === log?.spanId)
    assert.strictEqual(span?.name, "a span of the user")
    // a job's own output goes out from its manager
    const line = logsOf(received).find(({ body }) => body.stringValue === "otel: none")
    assert.strictEqual(spansOf(received).find(({ spanId }) => spanId === line?.spanId)?.name, "run")
  })
})
