import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { Host, Observability } from "../../../src/index.ts"
import { prometheusText } from "../../../src/telemetry/prometheusText.ts"
import { local, remotes, runJob } from "../../support/hosts.ts"
import { Maths } from "../services/math.ts"

/** Spans that have ended. */
const recordingTracer = () => {
  const ended: Array<Tracer.NativeSpan> = []
  class Recorded extends Tracer.NativeSpan {
    override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
      super.end(endTime, exit)
      ended.push(this)
    }
  }
  return { ended, tracer: Tracer.make({ span: (options) => new Recorded(options) }) }
}

/** Calls every kind of method, in every way that a call ends. */
const callAll = Effect.gen(function*() {
  const maths = yield* Maths
  for (let n = 0; n < 3; n++) yield* maths.double({ n })
  yield* Effect.exit(maths.double({ n: 1_001 }))
  yield* Effect.exit(maths.double({ n: -1 }))
  yield* Effect.timeoutOption(maths.never(), 50)
  yield* Stream.runDrain(maths.count({ to: 10 }))
  yield* maths.pid().pipe(Effect.withSpan("a span of the job"))
})

const observed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { ended, tracer } = recordingTracer()
    const context = Context.make(Metric.MetricRegistry, new Map()).pipe(Context.add(Tracer.Tracer, tracer))
    const result = yield* effect.pipe(
      Effect.provide(Observability.layer),
      Effect.provideContext(context as Context.Context<never>)
    ) as Effect.Effect<A, E>
    const metrics = prometheusText(context).split("\n").filter((line) => /^(rpc|autostop_host_calls)/.test(line))
    return { result, metrics, spans: ended }
  })

const counts = (metrics: ReadonlyArray<string>, side: string) =>
  metrics.filter((line) => line.startsWith(`rpc_${side}_call_duration_seconds_count`))
    .map((line) => line.replace(/^\S+?\{job_name="test",service="test\/Maths",rpc_method=/, ""))
    .toSorted()

describe("calls to hosts that are observed", () => {
  for (const host of remotes) {
    it.live(`in a ${host} are counted at both ends, and have spans at both ends`, () =>
      Effect.gen(function*() {
        const { metrics, result, spans } = yield* observed(runJob(callAll, Host.layer(Maths, { host })))
        assert.isTrue(result.report.clean)
        const expected = [
          "\"count\"} 1",
          "\"double\",error_type=\"Error\"} 1",
          "\"double\",error_type=\"TooLarge\"} 1",
          "\"double\"} 3",
          "\"never\",error_type=\"interrupted\"} 1",
          "\"pid\"} 1"
        ]
        assert.deepStrictEqual(counts(metrics, "client"), expected)
        assert.deepStrictEqual(counts(metrics, "server"), expected)
        assert.include(
          metrics,
          `autostop_host_calls_active{job_name="test",service="test/Maths",host="${host}"} 0`
        )

        const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)
        const parentOf = ({ parent }: Tracer.NativeSpan) =>
          nameOf(Option.getOrUndefined(parent)?.spanId) ?? assert.fail("a span has a parent that is unknown")
        const servers = spans.filter(({ kind }) => kind === "server")
        assert.strictEqual(servers.length, 8)
        for (const server of servers) {
          const client = parentOf(server)
          assert.strictEqual(client.name, server.name)
          assert.strictEqual(client.kind, "client")
          assert.strictEqual(client.traceId, server.traceId)
          // each process reads the wall clock once, and counts from there by itself
          assert.isTrue(client.startTime <= server.startTime + 100_000_000n)
        }
        const pathOf = (span: Tracer.NativeSpan): string =>
          Option.isNone(span.parent) ? span.name : `${pathOf(parentOf(span))} > ${span.name}`
        const within = spans.find(({ name }) => name === "a span of the host") ?? assert.fail("it is not there")
        assert.strictEqual(
          pathOf(within),
          "job test > run > a span of the job > call test/Maths.pid > call test/Maths.pid > a span of the host"
        )
      }).pipe(Effect.scoped, local))
  }

  it.live("have no spans if those of their caller are not exported, and are counted all the same", () =>
    Effect.gen(function*() {
      const { metrics, spans } = yield* observed(
        runJob(
          callAll.pipe(Effect.provideService(References.TracerEnabled, false)),
          Host.layer(Maths, { host: "thread" })
        )
      )
      assert.deepStrictEqual(spans.filter(({ name }) => name.startsWith("call")), [])
      assert.strictEqual(counts(metrics, "server").length, 6)
    }).pipe(Effect.scoped, local))
})
