import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import {
  Environment,
  Job,
  Leftover,
  LocalEnvironment,
  Outcome,
  Phase,
  Pipeline,
  ServiceOutcome,
  type ServiceReport,
  StageReport,
  StopReport,
  Trigger
} from "../src/index.ts"
import { Journal, probe } from "../src/testing.ts"

const Name = Schema.String.check(Schema.isPattern(/^[a-z][a-z-]{0,20}$/))
const Ms = Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: 100_000 }))
const Text = Schema.String.check(Schema.isPattern(/^[A-Za-z"'{}:,. äß→]{1,40}$/))
const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const Iso = Schema.Literals(["1970-01-01T00:00:00.000Z", "2026-02-28T23:59:59.999Z"])

const AnyService = Schema.Struct({
  name: Name,
  host: Schema.Literals(["local", "thread", "process", "ray"]),
  managed: Schema.Boolean,
  initialized: Schema.Boolean,
  used: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))),
  cleanupCalled: Schema.Boolean,
  cleanupCompleted: Schema.Boolean,
  running: Schema.Boolean,
  outcome: ServiceOutcome,
  startMs: Ms,
  releaseMs: Ms,
  dependsOn: Schema.Array(Name).check(Schema.isMaxLength(3)),
  error: Schema.optionalKey(Text)
})

const AnyReport = Schema.Struct({
  jobId: Name,
  job: Name,
  environment: Name,
  trigger: Trigger,
  reason: Schema.optionalKey(Text),
  outcome: Outcome,
  clean: Schema.Boolean,
  startedAt: Iso,
  stoppedAt: Iso,
  phases: Schema.Array(Schema.Struct({ phase: Phase, durationMs: Ms, timedOut: Schema.Boolean })).check(
    Schema.isMaxLength(5)
  ),
  stages: Schema.Array(
    Schema.Struct({
      ...StageReport.fields,
      // the graph of stages has tests of its own
      upstream: Schema.optionalKey(Schema.Tuple([])),
      // JSON has no -0, and no time is that
      timeMs: Schema.optionalKey(Schema.Struct({ busy: Ms, idle: Ms, backpressured: Ms })),
      p95Ms: Schema.optionalKey(Ms),
      name: Name,
      count: Count,
      dropped: Schema.optionalKey(Count),
      error: Schema.optionalKey(Name)
    })
  ).check(Schema.isMaxLength(4)),
  services: Schema.Array(AnyService).check(Schema.isMaxLength(6)),
  leftovers: Schema.Array(Schema.Struct({ kind: Name, detail: Text })).check(Schema.isMaxLength(3))
})

const Json = Schema.fromJsonString(StopReport)
const there = Schema.encodeSync(Json)
const back = Schema.decodeUnknownSync(Json)

const service: ServiceReport = {
  name: "db",
  host: "local",
  managed: true,
  initialized: true,
  cleanupCalled: true,
  cleanupCompleted: true,
  running: false,
  outcome: "released",
  startMs: 12,
  releaseMs: 3,
  dependsOn: []
}

const report = new StopReport({
  jobId: "1",
  job: "flights",
  environment: "local",
  trigger: "signal",
  reason: "SIGTERM",
  outcome: "cancelled",
  clean: false,
  startedAt: "2026-01-01T00:00:00.000Z",
  stoppedAt: "2026-01-01T00:00:12.345Z",
  phases: [
    { phase: "drain", durationMs: 10_000, timedOut: true },
    { phase: "cancel", durationMs: 0.25, timedOut: false },
    { phase: "release", durationMs: 5_000.5, timedOut: true }
  ],
  stages: [
    { name: "rows", kind: "source", count: 14 },
    { name: "enriched", kind: "mapParallel", count: 3, dropped: 11, upstream: ["rows"] }
  ],
  services: [
    { ...service, used: 1, dependsOn: ["pool", "cache"] },
    { ...service, name: "pool", used: 12, outcome: "release-failed", cleanupCompleted: false, error: "ECONNRESET" },
    { ...service, name: "cache", host: "process", outcome: "abandoned", cleanupCompleted: false, running: true }
  ],
  leftovers: [{ kind: "child-process", detail: "sleep 100 (pid 42)" }]
})

describe("a report as JSON", () => {
  it.prop(
    "is its own encoding, and the same after it was written and read",
    { parts: AnyReport },
    ({ parts }) => {
      const report = new StopReport(parts)
      const read = back(there(report))
      assert.instanceOf(read, StopReport)
      assert.deepStrictEqual(read, report)
      assert.deepStrictEqual(JSON.parse(there(report)), JSON.parse(JSON.stringify(report)))
      assert.deepStrictEqual(JSON.parse(there(report)), { ...parts })
    }
  )

  it.prop("can be read for every report that can be made, with any texts", { report: StopReport }, ({ report }) => {
    assert.strictEqual(there(back(there(report))), there(report))
  })

  it.effect("is the same after the report of a job was written and read", () =>
    Effect.gen(function*() {
      const job = Job.make("rows", {
        services: probe(new Journal(), "db"),
        run: () => Stream.make(1, 2, 3).pipe(Pipeline.source("rows"), Stream.runDrain)
      })
      const { report } = yield* (yield* Environment.submit(job, {})).result
      assert.deepStrictEqual(back(there(report)), report)
      assert.deepStrictEqual(Object.keys(JSON.parse(there(report))), [
        "jobId",
        "job",
        "environment",
        "trigger",
        "outcome",
        "clean",
        "startedAt",
        "stoppedAt",
        "phases",
        "stages",
        "services",
        "leftovers"
      ])
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it("is refused if it is no report", () => {
    const encoded = Schema.encodeSync(StopReport)(report)
    const wrong = {
      jobId: 1,
      trigger: "bored",
      outcome: "ok",
      clean: "yes",
      startedAt: 0,
      phases: [{ phase: "sleep", durationMs: 1, timedOut: false }],
      stages: [{ name: "rows", kind: "sink", count: 1 }],
      services: [{ ...service, outcome: "gone" }],
      leftovers: ["a handle"]
    }
    for (const [field, value] of Object.entries(wrong)) {
      assert.throws(() => Schema.decodeUnknownSync(StopReport)({ ...encoded, [field]: value }), field)
    }
    for (const ms of [Number.NaN, Infinity, "1", null]) {
      const phases = [{ phase: "drain", durationMs: ms, timedOut: false }]
      assert.throws(() => Schema.decodeUnknownSync(StopReport)({ ...encoded, phases }), "durationMs")
    }
    for (const count of [1.5, Number.NaN, "1"]) {
      const stages = [{ name: "rows", kind: "source", count }]
      assert.throws(() => Schema.decodeUnknownSync(StopReport)({ ...encoded, stages }), "count")
    }
    for (const field of Object.keys(encoded).filter((field) => field !== "reason")) {
      const { [field]: _, ...rest }: Record<string, unknown> = encoded
      assert.throws(() => Schema.decodeUnknownSync(StopReport)(rest), field)
    }
  })
})

describe("isClean", () => {
  it.prop(
    "holds exactly where every service that started is released, nothing is left over, and no start goes on",
    {
      services: Schema.Array(AnyService).check(Schema.isMaxLength(3)),
      leftovers: Schema.Array(Leftover).check(Schema.isMaxLength(1)),
      well: Schema.Boolean
    },
    ({ leftovers, services: generated, well }) => {
      // most random services are not clean
      const services = well
        ? generated.map((service) => ({
          ...service,
          running: false,
          outcome: service.initialized ? "released" as const : "start-failed" as const
        }))
        : generated
      const clean = StopReport.isClean({ services, leftovers })
      const started = services.filter(({ initialized }) => initialized)
      const others = services.filter(({ initialized }) => !initialized)
      const expected = leftovers.length === 0 &&
        started.every(({ outcome }) => outcome === "released") &&
        others.every(({ outcome, running }) => outcome === "start-failed" && !running)
      assert.strictEqual(clean, expected)
      if (well) assert.strictEqual(clean, leftovers.length === 0)
    }
  )

  it("holds where nothing was started, and is spoilt by any one thing", () => {
    const failed: ServiceReport = { ...service, initialized: false, outcome: "start-failed" }
    assert.isTrue(StopReport.isClean({ services: [], leftovers: [] }))
    assert.isTrue(StopReport.isClean({ services: [service, failed], leftovers: [] }))
    assert.isFalse(StopReport.isClean({ services: [], leftovers: [{ kind: "handle", detail: "Timeout" }] }))
    for (const outcome of ServiceOutcome.literals) {
      if (outcome === "released") continue
      assert.isFalse(StopReport.isClean({ services: [service, { ...service, outcome }], leftovers: [] }), outcome)
    }
    assert.isFalse(StopReport.isClean({ services: [{ ...failed, running: true }], leftovers: [] }))
  })
})

describe("render", () => {
  it("shows a report as a table for people", () => {
    assert.strictEqual(
      StopReport.render(report),
      `Job flights (1) on local: cancelled, NOT CLEAN
Trigger: signal (SIGTERM); 12.35 s in all
Phases:
  drain    10.00 s  timed out
  cancel   0.25 ms
  release  5.00 s   timed out
Stages:
  rows      source       14
  enriched  mapParallel  3   11 dropped
Services:
  db (local): released
    Initialized:       yes (12 ms)
    Used:              1 call
    Cleanup Called:    yes
    Cleanup Completed: yes (3.0 ms)
    Currently Running: no; depends on pool, cache
  pool (local): release-failed: ECONNRESET
    Initialized:       yes (12 ms)
    Used:              12 calls
    Cleanup Called:    yes
    Cleanup Completed: no (3.0 ms)
    Currently Running: no
  cache (process): abandoned
    Initialized:       yes (12 ms)
    Used:              not countable
    Cleanup Called:    yes
    Cleanup Completed: no (3.0 ms)
    Currently Running: yes
Left over:
  child-process  sleep 100 (pid 42)`
    )
  })

  it("lists stages in the order of their elements, and says what they take from if that is not the row before", () => {
    const stages = [
      { name: "all", kind: "stage", count: 2, upstream: ["left", "right"] },
      { name: "left", kind: "source", count: 1 },
      { name: "right", kind: "source", count: 1 }
    ] as const
    const lines = StopReport.render(new StopReport({ ...report, stages })).split("\n")
    const from = lines.indexOf("Stages:")
    assert.deepStrictEqual(lines.slice(from + 1, from + 4), [
      "  left   source  1",
      "  right  source  1",
      "  all    stage   2    from left, right"
    ])
  })

  it.prop(
    "shows every phase, stage, service with its five lines, and leftover, each once",
    { parts: AnyReport },
    ({ parts }) => {
      const report = new StopReport(parts)
      const lines = StopReport.render(report).split("\n")
      const sections = new Set(["Phases:", "Stages:", "Services:", "Left over:"])
      const section = (title: string) => {
        const from = lines.indexOf(title)
        if (from < 0) return []
        const rest = lines.slice(from + 1)
        const to = rest.findIndex((line) => sections.has(line))
        return to < 0 ? rest : rest.slice(0, to)
      }
      const yes = (value: boolean) => value ? "yes" : "no"

      for (const text of [report.job, report.jobId, report.environment, report.outcome]) assert.include(lines[0], text)
      assert.strictEqual(lines[0]?.endsWith(report.clean ? ", clean" : ", NOT CLEAN"), true)
      assert.include(lines[1], report.trigger)
      assert.include(lines[1], report.reason ?? "")

      const phases = section("Phases:")
      assert.strictEqual(phases.length, report.phases.length)
      report.phases.forEach((phase, place) => {
        assert.isTrue(phases[place]?.startsWith(`  ${phase.phase} `))
        assert.strictEqual(phases[place]?.endsWith("timed out"), phase.timedOut)
      })

      const stages = section("Stages:")
      assert.strictEqual(stages.length, report.stages.length)
      report.stages.forEach((stage, place) => {
        const words = stages[place]?.trim().split(/\s+/)
        assert.deepStrictEqual(words?.slice(0, 3), [stage.name, stage.kind, String(stage.count)])
        const label = stage.kind === "unit" ? ["cut", "off"] : ["dropped"]
        const dropped = stage.dropped === undefined || stage.dropped === 0 ? [] : [String(stage.dropped), ...label]
        assert.deepStrictEqual(words?.slice(3), stage.error === undefined ? dropped : [...dropped, stage.error])
      })

      const services = section("Services:")
      assert.strictEqual(services.length, report.services.length * 6)
      report.services.forEach((service, place) => {
        const [title, ...five] = services.slice(place * 6, place * 6 + 6)
        assert.include(title, `${service.name} (${service.host}): ${service.outcome}`)
        assert.include(title, service.error ?? "")
        const expected = [
          `Initialized: ${yes(service.initialized)}`,
          `Used: ${service.used === undefined ? "not" : service.used}`,
          `Cleanup Called: ${yes(service.cleanupCalled)}`,
          `Cleanup Completed: ${yes(service.cleanupCompleted)}`,
          `Currently Running: ${yes(service.running)}`
        ]
        const shown = five.map((line) => line.trim().replace(/:\s+(\w+).*$/, ": $1"))
        assert.deepStrictEqual(shown, expected)
        for (const need of service.dependsOn) assert.include(five[4], need)
      })

      const leftovers = section("Left over:")
      assert.strictEqual(leftovers.length, report.leftovers.length)
      report.leftovers.forEach(({ detail, kind }, place) => {
        assert.include(leftovers[place], kind)
        assert.include(leftovers[place], detail.trimEnd())
      })
    }
  )

  it("leaves out empty sections", () => {
    const empty = new StopReport({
      jobId: "1",
      job: "nothing",
      environment: "local",
      trigger: "completed",
      outcome: "succeeded",
      clean: true,
      startedAt: "2026-01-01T00:00:00.000Z",
      stoppedAt: "2026-01-01T00:00:00.007Z",
      phases: [],
      stages: [],
      services: [],
      leftovers: []
    })
    assert.strictEqual(
      StopReport.render(empty),
      "Job nothing (1) on local: succeeded, clean\nTrigger: completed; 7.0 ms in all"
    )
  })

  // a message of several lines, as those of a stack or of a nested error, stays within the title's line
  it("gives each service six lines, with any error", () => {
    const broken = new StopReport({ ...report, services: [{ ...service, error: "first\n    Initialized: no\nthird" }] })
    const lines = StopReport.render(broken).split("\n")
    const from = lines.indexOf("Services:") + 1
    assert.strictEqual(lines.indexOf("Left over:") - from, 6)
  })

  // 999.6 ms are "1.00 s", not "1000 ms"
  it("rounds a duration before it chooses its unit", () => {
    const shown = (durationMs: number) =>
      StopReport.render(new StopReport({ ...report, phases: [{ phase: "drain", durationMs, timedOut: false }] }))
        .split("\n")[3]?.trim()
    assert.strictEqual(shown(0.25), "drain  0.25 ms")
    assert.strictEqual(shown(9.4), "drain  9.4 ms")
    assert.strictEqual(shown(12.6), "drain  13 ms")
    assert.strictEqual(shown(999.4), "drain  999 ms")
    assert.strictEqual(shown(999.6), "drain  1.00 s")
    assert.strictEqual(shown(61_000), "drain  61.00 s")
  })
})
