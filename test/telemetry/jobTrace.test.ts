import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { JobEvent } from "../../src/index.ts"
import { JobTrace, traceContext } from "../../src/telemetry/jobTrace.ts"
import { RunSpanFold } from "../../src/telemetry/runSpans.ts"
import type { SpanRecord } from "../../src/telemetry/spanRecord.ts"

const start = Date.parse("2026-01-01T00:00:00.000Z")
const at = (ms: number): string => new Date(start + ms).toISOString()
const traceId = "0af7651916cd43dd8448eb211c80319c"
const job = {
  id: "one",
  job: "flights",
  submittedAt: at(0),
  traceparent: `00-${traceId}-b7ad6b7169203331-01`
}

const traceOf = (events: ReadonlyArray<JobEvent>): ReadonlyArray<SpanRecord> => {
  const trace = new JobTrace(job)
  for (const event of events) trace.add(event)
  trace.cut()
  return trace.spans
}
const one = (spans: ReadonlyArray<SpanRecord>, name: string): SpanRecord =>
  spans.find((span) => span.name === name) ?? assert.fail(`no span "${name}"`)

const submitted = (ms: number): JobEvent => ({ _tag: "JobSubmitted", at: at(ms), jobId: "one", job: "flights" })
const started = (ms: number): JobEvent => ({ _tag: "RunStarted", at: at(ms) })
const restarting = (ms: number, attempt: number): JobEvent => ({
  _tag: "JobRestarting",
  at: at(ms),
  attempt,
  delayMs: 0,
  trigger: "lost",
  outcome: "failed",
  clean: false
})
const stopped = (ms: number): JobEvent => ({ _tag: "JobStopped", at: at(ms), outcome: "succeeded", clean: true })

describe("the spans of a stored job", () => {
  it("a job that waited, ran and stopped has its times and no fault", () => {
    const spans = traceOf([
      submitted(100),
      started(110),
      { _tag: "RunEnded", at: at(200), outcome: "succeeded" },
      { _tag: "StopRequested", at: at(200), trigger: "completed", mode: "drain", deadlineMs: 25_000 },
      { _tag: "PhaseStarted", at: at(200), phase: "release" },
      { _tag: "ServiceReleasing", at: at(201), service: "Db" },
      { _tag: "ServiceStopped", at: at(211), service: "Db", outcome: "released", releaseMs: 10 },
      { _tag: "PhaseEnded", at: at(212), phase: "release", durationMs: 12, timedOut: false },
      stopped(213)
    ])
    assert.deepStrictEqual(
      spans.map(({ end, error, name, start }) => [name, Number(BigInt(end) - BigInt(start)) / 1e6, error]),
      [
        ["queued", 100, undefined],
        ["run", 90, undefined],
        ["release Db", 10, undefined],
        ["release", 12, undefined],
        ["stop", 13, undefined],
        ["attempt", 113, undefined],
        ["job flights", 213, undefined]
      ]
    )
    assert.deepStrictEqual(one(spans, "stop").attributes, {
      "autostop.trigger": "completed",
      "autostop.mode": "drain",
      "autostop.deadline": 25
    })
  })

  it("a kill cuts what was open, and says so; the next attempt is linked to the one before", () => {
    const spans = traceOf([submitted(1), started(2), restarting(50, 1), submitted(60), started(61), stopped(70)])
    const runs = spans.filter(({ name }) => name === "run")
    assert.deepStrictEqual(runs.map(({ error }) => error), ["it was cut off", "it was cut off"])
    const [first, second] = spans.filter(({ name }) => name === "attempt")
    assert.strictEqual(first?.error, "it did not stop clean")
    assert.isUndefined(second?.error)
    assert.deepStrictEqual(second?.links, [{ traceId, spanId: first?.spanId ?? "" }])
    for (const [number, attempt, run] of [[1, first, runs[0]], [2, second, runs[1]]] as const) {
      const { spanId = "" } = attempt ?? {}
      assert.deepStrictEqual(traceContext(job, number), { traceId, attempt: spanId, run: run?.spanId ?? "" })
    }
  })

  it("an attempt that said nothing has no span, and the ids of the later ones hold all the same", () => {
    const spans = traceOf([restarting(50, 1), submitted(60), stopped(70)])
    const attempts = spans.filter(({ name }) => name === "attempt")
    assert.deepStrictEqual(attempts.map(({ spanId }) => spanId), [traceContext(job, 2)?.attempt])
    assert.isUndefined(attempts[0]?.links)
    const third = traceOf([restarting(50, 2), submitted(60), stopped(70)])
    assert.strictEqual(one(third, "attempt").spanId, traceContext(job, 3)?.attempt)
  })

  it("what comes before its attempt lies in the job itself", () => {
    const spans = traceOf([{ _tag: "ServiceStarting", at: at(1), service: "Db" }, stopped(2)])
    assert.strictEqual(one(spans, "start Db").parentSpanId, one(spans, "job flights").spanId)
  })

  it("without the span of a submit, or with one that is none, a job begins a trace of its own", () => {
    for (const traceparent of [undefined, "", "00-x", `00-${traceId}-b7ad6b7169203331`, "x".repeat(9_999)]) {
      const { traceparent: _, ...bare } = job
      const trace = new JobTrace(traceparent === undefined ? bare : { ...bare, traceparent })
      trace.add(stopped(5))
      const whole = one(trace.spans, "job flights")
      assert.match(whole.traceId, /^[0-9a-f]{32}$/)
      assert.isUndefined(whole.parentSpanId)
    }
    assert.isUndefined(traceContext({ ...job, traceparent: `00-${traceId}-b7ad6b7169203331-00` }, 1))
  })

  it("has so many spans and no more, and says how many are missing", () => {
    const services = Array.from({ length: 10_000 }, (_, i): JobEvent => ({
      _tag: "ServiceStarting",
      at: at(2),
      service: `service ${i} ${"x".repeat(5_000)}`
    }))
    const spans = traceOf([submitted(1), ...services, stopped(3)])
    assert.strictEqual(spans.length, 4_000)
    assert.strictEqual(one(spans, "job flights").attributes["autostop.spans.left_out"], 10_000 + 3 - 4_000)
    assert.isBelow(Math.max(...spans.map(({ name }) => name.length)), 1_001)
  })
})

/** Any event, in any order, at any time. */
const Step = Schema.Struct({
  kind: Schema.Literals([
    "JobSubmitted",
    "ServiceStarting",
    "ServiceStarted",
    "ServiceStartFailed",
    "RunStarted",
    "RunEnded",
    "StopRequested",
    "PhaseStarted",
    "PhaseEnded",
    "ServiceReleasing",
    "ServiceStopped",
    "JobRestarting",
    "JobStopped"
  ]),
  service: Schema.Literals(["a", "b", "__proto__", ""]),
  ms: Schema.Int.check(Schema.isBetween({ minimum: -1_000, maximum: 100_000 })),
  isTime: Schema.Boolean
})

const eventOf = ({ isTime, kind, ms, service }: typeof Step.Type): JobEvent =>
  // safe: each kind reads only fields that are here
  ({
    _tag: kind,
    at: isTime ? at(ms) : "no time",
    service,
    jobId: "one",
    job: "flights",
    startMs: ms,
    releaseMs: ms,
    durationMs: ms,
    timedOut: ms % 2 === 0,
    phase: "drain",
    trigger: "lost",
    mode: "drain",
    outcome: "failed",
    clean: false,
    attempt: Math.abs(ms % 5) + 1,
    delayMs: 0,
    error: "it broke"
  }) as JobEvent

describe("the spans of any events", () => {
  it.effect.prop(
    "of each beginning of them, every span that begins ends once, not before it began, within one that is there",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(30)) },
    ({ steps }) =>
      Effect.sync(() => {
        const events = steps.map(eventOf)
        for (let count = 0; count <= events.length; count++) {
          const spans = traceOf(events.slice(0, count))
          const ids = new Set(spans.map(({ spanId }) => spanId))
          assert.strictEqual(ids.size, spans.length)
          for (const { end, name, parentSpanId = "", start } of spans) {
            assert.isTrue(BigInt(end) >= BigInt(start), name)
            assert.isTrue(name === "job flights" || ids.has(parentSpanId), `${name} lies in no span`)
          }
          // whoever makes them makes the same
          assert.deepStrictEqual(traceOf(events.slice(0, count)), spans)
        }
      }),
    { arbitrary: { runs: 200 } }
  )

  it.effect.prop(
    "that a run here has are those of its attempt, without the queue",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(30)) },
    ({ steps }) =>
      Effect.sync(() => {
        const fold = new RunSpanFold({ job: "flights", id: "one" })
        const open = new Set<string>()
        for (
          const step of [
            ...fold.begin(start),
            ...steps.flatMap((step) => fold.apply(eventOf(step))),
            ...fold.cut()
          ]
        ) {
          if (step._tag === "Close") assert.isTrue(open.delete(step.key), step.key)
          else {
            assert.isFalse(open.has(step.key), step.key)
            assert.isTrue(step.parent === undefined ? step.key === "job" : open.has(step.parent), step.key)
            open.add(step.key)
          }
        }
        assert.deepStrictEqual([...open], [])
      }),
    { arbitrary: { runs: 300 } }
  )
})
