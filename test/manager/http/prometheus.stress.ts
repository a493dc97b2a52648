/** Debian's Prometheus before a manager, and its check of the names. On a machine without it they are left out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { JobEvent } from "../../../src/index.ts"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService, Processes } from "../../support/managerService.ts"
import { ask } from "../../support/serving.ts"
import { freePort } from "../../../scripts/freePorts.ts"

const isInstalled = (command: string): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0
const hasPrometheus = isInstalled("prometheus") && isInstalled("promtool")
if (!hasPrometheus) console.error("prometheus and promtool are not installed: their tests are left out")

const grafana = (name: string): string => fileURLToPath(new URL(`../../../docs/grafana/${name}`, import.meta.url))

const serving = Layer.unwrap(
  Effect.map(temporaryFolder, (folder) =>
    Layer.provideMerge(
      serveManager({ port: 0 }),
      managerService({ folder, jobs: ["flights", "a\"} 1 evil{x=\"\\"], concurrency: 1 })
    ))
)

const at = (ms: number): string => new Date(Date.parse("2026-01-01T00:00:00.000Z") + ms).toISOString()

/** What a job may say, all of it. */
const life: ReadonlyArray<JobEvent> = [
  { _tag: "JobSubmitted", at: at(0), jobId: "one", job: "flights" },
  { _tag: "ServiceStarting", at: at(0), service: "app/Db" },
  { _tag: "ServiceStarted", at: at(5), service: "app/Db", startMs: 5, host: "process" },
  { _tag: "HostRestarting", at: at(6), service: "app/Db", replica: 1, attempt: 1, delayMs: 1 },
  { _tag: "HostKilled", at: at(7), service: "app/Db", replica: 1, how: "SIGKILL", killMs: 1 },
  { _tag: "RunStarted", at: at(7) },
  { _tag: "StopRequested", at: at(1_000), trigger: "stopped", mode: "drain", deadlineMs: 10_000 },
  { _tag: "PhaseStarted", at: at(1_000), phase: "drain", limitMs: 1_000 },
  { _tag: "PhaseEnded", at: at(2_000), phase: "drain", durationMs: 1_000, timedOut: true },
  { _tag: "ServiceReleasing", at: at(2_000), service: "app/Db" },
  { _tag: "ServiceStopped", at: at(2_500), service: "app/Db", outcome: "released", releaseMs: 500 }
]

/** Runs one job to its end, and lets others wait; returns the metrics. */
const measured = Effect.gen(function*() {
  const manager = yield* Manager
  const processes = yield* Processes
  yield* manager.submit({ id: "one", job: "flights" })
  yield* manager.submit({ id: "two", job: "a\"} 1 evil{x=\"\\" })
  yield* manager.submit({ id: "three", job: "flights" })
  while (processes.get("one") === undefined) yield* Effect.sleep(5)
  for (const event of life) processes.get("one")?.report(event)
  processes.get("one")?.succeed()
  while ((yield* manager.get("one")).state !== "stopped") yield* Effect.sleep(5)
  while (processes.get("two") === undefined) yield* Effect.sleep(5)
  return (yield* ask("GET", "/metrics")).text
})

/** Starts a Prometheus that scrapes an address again and again. It is ended with the Scope. */
const prometheus = Effect.fnUntraced(function*(target: string) {
  const folder = yield* temporaryFolder
  const port = yield* Effect.promise(freePort)
  const config = join(folder, "prometheus.yml")
  writeFileSync(
    config,
    `scrape_configs: [{ job_name: manager, scrape_interval: 1s, static_configs: [{ targets: ["${target}"] }] }]\n`
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("prometheus", [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`
      ], { stdio: "ignore" })
    ),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null) return
        child.kill("SIGKILL")
        await once(child, "close")
      })
  )
  return (query: string) =>
    Effect.promise(async (): Promise<ReadonlyArray<{ metric: Record<string, string>; value: [number, string] }>> => {
      if (child.exitCode !== null) throw new Error("prometheus has ended")
      try {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`
        const answer: { data?: { result?: ReadonlyArray<never> } } = JSON.parse(await (await fetch(url)).text())
        return answer.data?.result ?? []
      } catch {
        return []
      }
    })
})

describe.skipIf(!hasPrometheus)("the metrics of a manager for Prometheus", () => {
  it.live("have names, kinds and texts that promtool takes", () =>
    Effect.gen(function*() {
      const text = yield* measured
      const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" })
      assert.strictEqual(`${stdout}${stderr}`, "")
      assert.strictEqual(status, 0)
      for (
        const line of [
          "autostop_queue_depth 1",
          "autostop_jobs{state=\"stopped\"} 1",
          "autostop_job_queue_duration_seconds_count{job_name=\"flights\"} 1",
          "autostop_job_duration_seconds_count{job_name=\"flights\",outcome=\"succeeded\",clean=\"true\"} 1",
          "autostop_stop_duration_seconds_count{job_name=\"flights\",trigger=\"stopped\",mode=\"drain\",clean=\"true\"} 1",
          "autostop_stop_phase_duration_seconds_sum{job_name=\"flights\",phase=\"drain\",timed_out=\"true\"} 1",
          "autostop_service_start_duration_seconds_sum{job_name=\"flights\",service=\"app/Db\"} 0.005",
          "autostop_service_release_duration_seconds_sum{job_name=\"flights\",service=\"app/Db\",outcome=\"released\"} 0.5",
          "autostop_host_restarts_total{job_name=\"flights\",service=\"app/Db\",host=\"process\"} 1",
          "autostop_host_kills_total{job_name=\"flights\",service=\"app/Db\",host=\"process\"} 1"
        ]
      ) assert.include(text.split("\n"), line)
      for (
        const name of [
          "process_cpu_seconds_total",
          "process_resident_memory_bytes",
          "nodejs_eventloop_delay_p99_seconds"
        ]
      ) {
        assert.match(text, new RegExp(`^${name} [0-9.e-]+$`, "m"))
      }
      assert.match(text, /^nodejs_eventloop_utilization_ratio 0?\.?\d+/m)
    }).pipe(Effect.scoped, Effect.provide(serving)))

  it.live("are scraped", () =>
    Effect.gen(function*() {
      yield* measured
      const { port } = yield* Address
      const query = yield* prometheus(`127.0.0.1:${port}`)
      let found = yield* query("autostop_service_release_duration_seconds_count")
      while (found.length === 0) {
        yield* Effect.sleep(100)
        found = yield* query("autostop_service_release_duration_seconds_count")
      }
      assert.deepStrictEqual(found.map(({ metric: { service }, value }) => [service, value[1]]), [["app/Db", "1"]])
      const waited = yield* query("autostop_job_queue_duration_seconds_count")
      assert.deepStrictEqual(waited.map(({ metric: { job_name } }) => job_name).toSorted(), [
        "a\"} 1 evil{x=\"\\",
        "flights"
      ])
      assert.deepStrictEqual((yield* query("up")).map(({ value }) => value[1]), ["1"])
    }).pipe(Effect.scoped, Effect.provide(serving), Effect.timeout("60 seconds")))
})

describe.skipIf(!hasPrometheus)("the rules for alerts", () => {
  it("are ones that promtool takes", () => {
    const { status, stderr, stdout } = spawnSync("promtool", ["check", "rules", grafana("alerts.yml")], {
      encoding: "utf8"
    })
    assert.strictEqual(status, 0, `${stdout}${stderr}`)
  })
})
