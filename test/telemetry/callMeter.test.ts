import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import { HostError } from "../../src/host/hostError.ts"
import { CallMeter } from "../../src/telemetry/callMeter.ts"
import { CallRecords } from "../../src/telemetry/callRecords.ts"
import { prometheusText } from "../../src/telemetry/prometheusText.ts"
import { Recorder } from "../../src/telemetry/recorder.ts"

const meterOf = () => new CallMeter({ side: "client", service: "Db[2]/Pool", host: "thread", methods: ["get", "put"] })

const metrics = (context: Context.Context<never>): ReadonlyArray<string> => prometheusText(context).split("\n")

const registry = (): Context.Context<never> => Context.make(Metric.MetricRegistry, new Map())

describe("the calls to a service", () => {
  it("are told once, by method and by kind of failure", () => {
    const meter = meterOf()
    for (let n = 0; n < 4; n++) meter.began()
    meter.ended(0, Exit.void, 2)
    meter.ended(1, Exit.fail(HostError.of("Db", "lost", "it exited")), 5)
    meter.ended(1, Exit.die(new TypeError("no")), 5)
    const taken = meter.take()
    assert.deepStrictEqual(
      taken.map((one) => one._tag === "Active" ? one.calls : [one.method, one.error, one.sum]),
      [["get", undefined, 0.002], ["put", "HostError.lost", 0.005], ["put", "TypeError", 0.005], 1]
    )
    assert.deepStrictEqual(meter.take(), [])
  })

  it("are told to be none before the first one, so that there is a number, and once more after each change", () => {
    const meter = meterOf()
    const told = () => meter.take().flatMap((one) => one._tag === "Active" ? [one.calls] : [])
    assert.deepStrictEqual([told(), told()], [[0], []])
    meter.began()
    assert.deepStrictEqual([told(), told()], [[1], []])
    meter.ended(0, Exit.void, 1)
    assert.deepStrictEqual([told(), told()], [[0], []])
  })

  it("are all counted, and about 250 of them are timed from one reading to the next", () => {
    const meter = meterOf()
    const readings = Array.from({ length: 3 }, () => {
      let timed = 0
      for (let n = 0; n < 10_000; n++) {
        const isTimed = meter.began()
        if (isTimed) timed++
        meter.ended(0, Exit.void, isTimed ? 2 : undefined)
      }
      const [taken] = meter.take()
      if (taken?._tag !== "Ended") return assert.fail("no call has ended")
      assert.strictEqual(taken.counts.reduce((sum, count) => sum + count), 10_000)
      assert.closeTo(taken.sum, 20, 1e-6)
      return timed
    })
    assert.deepStrictEqual(readings, [10_000, 250, 250])
  })

  it("have a limited number of kinds of failures", () => {
    const meter = meterOf()
    for (let n = 0; n < 1_000; n++) meter.ended(0, Exit.fail({ _tag: `error ${n}` }), 1)
    assert.isAtMost(meter.take().length, 22)
  })

  it("are added up in one histogram, whoever has counted them", () => {
    const context = registry()
    for (let n = 0; n < 2; n++) {
      const meter = meterOf()
      const records = new CallRecords(new Recorder(context), "flights")
      for (const ms of [0.005, 3, 1_000_000]) meter.ended(0, Exit.void, ms)
      records.record(meter.take())
    }
    const labels = `job_name="flights",service="Db/Pool",rpc_method="get"`
    const lines = metrics(context)
    assert.include(lines, `rpc_client_call_duration_seconds_bucket{${labels},le="0.00001"} 2`)
    assert.include(lines, `rpc_client_call_duration_seconds_bucket{${labels},le="0.0025"} 2`)
    assert.include(lines, `rpc_client_call_duration_seconds_bucket{${labels},le="0.005"} 4`)
    assert.include(lines, `rpc_client_call_duration_seconds_bucket{${labels},le="+Inf"} 6`)
    assert.include(lines, `rpc_client_call_duration_seconds_count{${labels}} 6`)
  })

  it("that are active are the sum of all jobs of that name, without those of a job that has ended", () => {
    const context = registry()
    const active = () =>
      metrics(context).find((line) => line.startsWith("autostop_host_calls_active{"))?.split(" ").at(-1)
    const [one, other] = [0, 1].map(() => ({
      meter: meterOf(),
      records: new CallRecords(new Recorder(context), "flights")
    }))
    if (one === undefined || other === undefined) return assert.fail()
    for (const { meter, records } of [one, other]) {
      meter.began()
      meter.began()
      records.record(meter.take())
    }
    assert.strictEqual(active(), "4")
    one.meter.ended(0, Exit.void, 1)
    one.records.record(one.meter.take())
    assert.strictEqual(active(), "3")
    other.records.end()
    assert.strictEqual(active(), "1")
  })
})
