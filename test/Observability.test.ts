import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric, Option, Stream, Tracer } from "effect"
import { Environment, Job, LocalEnvironment, Observability, Pipeline, Service } from "../src/index.ts"

class Db extends Context.Service<Db, string>()("test/Db") {}

const job = Job.make("counted").implement({
  services: Service.manage("Db", Layer.succeed(Db, "open")),
  run: () =>
    Stream.range(1, 7).pipe(
      Pipeline.source("numbers"),
      Stream.runForEach((n) => n === 1 ? Effect.void.pipe(Effect.withSpan("a span of the user")) : Effect.void)
    )
})

/** Runs the job with a registry and a tracer of the test's own. */
const observed = Effect.fnUntraced(function*(layer: Layer.Layer<never>) {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const registry = Context.make(Metric.MetricRegistry, new Map())
  yield* Environment.run(job).pipe(
    Effect.withSpan("submitter"),
    Effect.provide(Layer.merge(LocalEnvironment.layer, layer)),
    Effect.provideService(Tracer.Tracer, tracer),
    Effect.provide(registry)
  )
  const parents = new Map(spans.map(({ name, parent }) => {
    const within = Option.getOrUndefined(parent)
    return [name, within?._tag === "Span" ? within.name : undefined]
  }))
  return { metrics: Metric.snapshotUnsafe(registry), parents, spans }
})

describe("the jobs of a program with an exporter of its own", () => {
  it.live("have metrics in its registry, and spans of its tracer within the span of who submits", () =>
    Effect.gen(function*() {
      const { metrics, parents, spans } = yield* observed(Observability.layer)
      const elements = metrics.find(({ id }) => id === "autostop.stage.elements")
      assert.deepStrictEqual(elements?.attributes, { job_name: "counted", stage: "numbers", kind: "source" })
      assert.deepStrictEqual(elements?.state, { count: 7, incremental: true })
      for (const id of ["autostop.job.duration", "autostop.stop.duration", "autostop.service.start.duration"]) {
        assert.isTrue(metrics.some((metric) => metric.id === id), id)
      }
      assert.strictEqual(parents.get("job counted"), "submitter")
      assert.strictEqual(parents.get("run"), "job counted")
      assert.strictEqual(parents.get("a span of the user"), "run")
      assert.strictEqual(parents.get("stop"), "job counted")
      for (const { name, status } of spans) assert.strictEqual(status._tag, "Ended", name)
    }))

  it.live("have none of them without it", () =>
    Effect.gen(function*() {
      const { metrics, parents } = yield* observed(Layer.empty)
      assert.deepStrictEqual(metrics.filter(({ id }) => id.startsWith("autostop")), [])
      assert.deepStrictEqual([...parents.keys()].toSorted(), ["a span of the user", "submitter"])
    }))
})
