import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { instruments, prometheusName } from "../../src/telemetry/instruments.ts"
import { prometheusText } from "../../src/telemetry/prometheusText.ts"
import { otherLabel, Recorder } from "../../src/telemetry/recorder.ts"

const registry = () => Context.make(Metric.MetricRegistry, new Map())

const restarts = (job: string) => ({ metric: "autostop.job.restarts", value: 1, labels: { job_name: job } }) as const

describe("metrics of many jobs", () => {
  it("has a series for each of the first 500 names, and one for all others", () => {
    const context = registry()
    const recorder = new Recorder(context)
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 2_000; i++) recorder.record([restarts(`job ${i}`)])
    }
    const counts = new Map(Metric.snapshotUnsafe(context).map(({ attributes, state }) => [attributes?.job_name, state]))
    assert.strictEqual(counts.size, 501)
    assert.deepStrictEqual(counts.get("job 499"), { count: 2, incremental: true })
    assert.deepStrictEqual(counts.get(otherLabel), { count: 3_000, incremental: true })
    // values that are no names stay
    recorder.record([{ metric: "autostop.job.duration", value: 1, labels: { job_name: "job 1", clean: "true" } }])
    assert.include(prometheusText(context), "autostop_job_duration_seconds_count{job_name=\"job 1\",clean=\"true\"} 1")
  })

  it("takes names as values, whatever they are, and shortens long ones", () => {
    const context = registry()
    const recorder = new Recorder(context)
    const hostile = ["a\"} 1\nevil 2", "\\", "\n", "\"", "", "__proto__", "{job=\"x\"}", "x".repeat(100_000), "\ud800"]
    for (const job of hostile) recorder.record([restarts(job)])
    const lines = prometheusText(context).trimEnd().split("\n").filter((line) => !line.startsWith("#"))
    assert.strictEqual(lines.length, hostile.length)
    for (const line of lines) assert.match(line, /^autostop_job_restarts_total\{job_name="([^"\\\n]|\\["\\n])*"\} 1$/)
    assert.isBelow(Math.max(...lines.map((line) => line.length)), 300)
  })

  it("has one gauge for what jobs of one name have together", () => {
    const context = registry()
    const recorder = new Recorder(context)
    for (const value of [5, 3, -5]) {
      recorder.record([{ metric: "autostop.stage.held", value, labels: { job_name: "a", stage: "b", kind: "keyed" } }])
    }
    assert.include(prometheusText(context), "autostop_stage_held{job_name=\"a\",stage=\"b\",kind=\"keyed\"} 3")
  })

  it("has names for Prometheus with their units, and leaves those of others alone", () => {
    assert.strictEqual(prometheusName("autostop.stop.duration"), "autostop_stop_duration_seconds")
    assert.strictEqual(prometheusName("autostop.stop.deadline.used"), "autostop_stop_deadline_used_ratio")
    assert.strictEqual(prometheusName("autostop.stage.elements"), "autostop_stage_elements_total")
    assert.strictEqual(prometheusName("process.cpu.time"), "process_cpu_seconds_total")
    assert.strictEqual(prometheusName("toString"), "toString")
    for (const name of Object.keys(instruments)) assert.match(prometheusName(name), /^[a-z0-9_]+$/)
  })
})
