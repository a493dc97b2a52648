import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import * as Schema from "effect/Schema"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { until } from "../../../src/process/processGroup.ts"
import { Job } from "../../../src/index.ts"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"
import { assertClean } from "../../../src/testing.ts"
import {
  deadlineMs,
  decoded,
  errorOf,
  exitCause,
  exitOf,
  folder,
  killed,
  messageOf,
  outcomes,
  Ran,
  released,
  run,
  runs,
  short,
  slackMs,
  stored,
  timed,
  urlOf
} from "../../support/jobProcess.ts"
import { runAtOnce } from "./crowd.ts"
import { Late, untold } from "../fixtures/work.ts"

describe("the end of a job process", () => {
  it("brings a typed result, a report and all events if the job succeeds", async () => {
    const job = run({ act: "add", text: "ö" })
    const result = await job.ended()
    assert.deepStrictEqual(exitOf(result), Effect.runSync(Effect.exit(Effect.succeed({ at: new Date(1), text: "ö" }))))
    assertClean(result.report)
    assert.deepInclude(result.report, { jobId: job.id, job: "work", environment: "remote", trigger: "completed" })
    assert.deepStrictEqual(outcomes(result), released)
    assert.deepInclude(job.events[0], { _tag: "JobSubmitted", jobId: job.id })
    assert.strictEqual(job.events.at(-1)?._tag, "JobStopped")
    assert.deepStrictEqual(stored(job.resultFile), result)
    assert.deepStrictEqual(readdirSync(folder).filter((name) => name.includes(".tmp")), [])
  })

  it("brings the typed error of a job that fails", async () => {
    const result = await run({ act: "fail", at: "2026-01-02T00:00:00.000Z" }).ended()
    assert.deepStrictEqual(errorOf(result), new Late({ at: new Date("2026-01-02") }))
    assertClean(result.report)
    assert.deepInclude(result.report, { trigger: "failed", outcome: "failed" })
  })

  for (const [act, message] of [["die", /^TypeError: it broke$/], ["exit", /process\.exit\(7\) was called/]] as const) {
    it(`brings a defect for "${act}"`, async () => {
      const result = await run({ act }).ended()
      assert.match(messageOf(result), message)
      assert.deepInclude(result.report, { trigger: "failed", outcome: "failed" })
      assert.deepStrictEqual(outcomes(result), released)
    })
  }

  it("brings a defect that says so if the result does not match its Schema", async () => {
    const result = await run({ act: "odd" }).ended()
    assert.match(messageOf(result), /the exit of "work" does not match its Schemas: .*Expected/)
  })

  it("brings `undefined` for a job that declares no success", async () => {
    const result = await new Ran({ job: "untold" }).ended()
    assert.deepStrictEqual(decoded(result, untold), Effect.runSync(Effect.exit(Effect.void)))
  })

  it("brings a ServiceError if a service does not start", async () => {
    const result = await run({ act: "add" }, {}, { AUTOSTOP_START_TIMEOUT: "1ms", OPEN: "slow" }).ended()
    const error = errorOf(result)
    assert.instanceOf(error, Job.ServiceError)
    assert.deepInclude(error, { phase: "start" })
  })

  it("comes once the time limit of the job has passed", async () => {
    const result = await run({ act: "wait" }, { autostop: { after: 50 } }).ended()
    assert.deepInclude(result.report, { trigger: "deadline", reason: "it ran for 50 ms", outcome: "cancelled" })
  })
})

describe("a stop of a job process", () => {
  for (const mode of ["drain", "cancel", "kill"] as const) {
    it(`has the mode ${mode}`, async () => {
      const job = await run({ act: "wait" }).said("ready")
      job.process.stop({ mode, reason: "enough" })
      const result = await job.ended()
      assert.deepInclude(result.report, { trigger: "stopped", reason: "enough", outcome: "cancelled" })
      if (mode !== "kill") {
        assert.deepStrictEqual(outcomes(result), released)
        assertClean(result.report)
      }
      assert.deepInclude(job.events.find(({ _tag }) => _tag === "StopRequested"), {
        trigger: "stopped",
        mode,
        reason: "enough"
      })
      const exit = exitOf(result)
      assert.isTrue(exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
    })
  }

  it("works before the job has started", async () => {
    const job = run({ act: "wait" })
    job.process.stop({})
    const result = await job.ended()
    assertClean(result.report)
    assert.deepInclude(result.report, { trigger: "stopped", outcome: "cancelled", services: [] })
  })

  it("overtakes a gentler one", async () => {
    const job = await run({ act: "wait" }, { stopPolicy: { strategy: "patient" } }, { CLOSE: "hang" }).said("ready")
    job.process.stop({})
    await until(() => job.events.some(({ _tag }) => _tag === "ServiceReleasing"), 5_000)
    const [result, ms] = await timed(() => (job.process.stop({ mode: "kill" }), job.ended()))
    assert.isBelow(ms, slackMs)
    assert.deepStrictEqual(outcomes(result), ["cache abandoned", "db abandoned"])
  })

  it("kills a job that blocks at its deadline, with all it started", async () => {
    const job = await run({ act: "block", family: true }, short).said("ready")
    const [result, ms] = await timed(() => (job.process.stop({ reason: "enough" }), job.ended()))
    assert.isAtLeast(ms, deadlineMs)
    assert.isBelow(ms, deadlineMs + slackMs)
    assert.deepInclude(result.report, {
      trigger: "stopped",
      reason: "enough",
      outcome: "cancelled",
      clean: false,
      environment: "remote",
      jobId: job.id
    })
    assert.deepStrictEqual(outcomes(result), killed)
    assert.isTrue(Cause.hasInterruptsOnly(exitCause(result)))
    assert.strictEqual(job.pids.length, 3)
    assert.deepStrictEqual(job.pids.filter(runs), [])
  })

  it("in mode kill kills a job that blocks without waiting for its deadline", async () => {
    const job = await run({ act: "block" }).said("ready")
    const [result, ms] = await timed(() => (job.process.stop({ mode: "kill" }), job.ended()))
    assert.isBelow(ms, 3_000 + slackMs)
    assert.deepStrictEqual(outcomes(result), killed)
  })

  it("kills a job that blocks once its time limit has passed", async () => {
    const result = await run({ act: "block" }, { ...short, autostop: { after: 100 } }).ended()
    assert.deepInclude(result.report, { trigger: "deadline", reason: "it ran for 100 ms", outcome: "cancelled" })
    assert.deepStrictEqual(outcomes(result), killed)
  })
})

describe("a job process", () => {
  it("prints whole lines on both streams", async () => {
    const job = run({ act: "print" })
    await job.ended()
    const lines = job.text().split("\n")
    assert.include(lines, "half a line")
    assert.strictEqual(lines.filter((line) => /^é+$/.test(line)).join("").length, 100_000)
    assert.strictEqual(job.text("stderr"), "an error\nwithout an end\n")
    assert.isTrue(job.output.every(([, text]) => text.endsWith("\n") || text.length >= 64 * 1_024))
  })

  it("prints no faster than its output is taken", async () => {
    let taking = 0
    let text = ""
    const job = startJobProcess({
      id: "slow",
      submission: { job: "work", payload: { act: "print" } },
      code: { module: urlOf("work") },
      resultFile: join(folder, "slow.json"),
      onEvent: () => {},
      onStages: () => {},
      onOutput: async (stream, some) => {
        if (stream === "stderr") return
        assert.strictEqual(++taking, 1)
        await new Promise((resolve) => setTimeout(resolve, 50))
        text += some.map((line) => line.text).join("")
        taking--
      }
    })
    assertClean((await Effect.runPromise(job.ended)).report)
    assert.strictEqual(text.match(/é/g)?.length, 100_000)
  })

  it("has the environment of every job, and its own variables", async () => {
    Object.assign(process.env, { AUTOSTOP_TOKEN: "secret", AWS_SECRET: "secret", AUTOSTOP_KILL_TIMEOUT: "1s" })
    const result = await run({ act: "env" }, {}, { EXTRA: "1", AUTOSTOP_TOKEN: "secret" }).ended()
    const { value } = Schema.decodeUnknownSync(Schema.Struct({ value: Schema.Struct({ text: Schema.String }) }))(
      result.exit
    )
    const env: Record<string, string> = JSON.parse(value.text)
    assert.notInclude(value.text, "secret")
    assert.deepInclude(env, { EXTRA: "1", AUTOSTOP_KILL_TIMEOUT: "1s", PATH: process.env["PATH"] })
    assert.deepStrictEqual(
      Object.keys(env).filter((name) =>
        !/^(PATH|HOME|TMPDIR|LANG|LC_\w+|TZ|NODE_OPTIONS|NODE_COMPILE_CACHE|AUTOSTOP_\w+|EXTRA)$/.test(name)
      ),
      []
    )
    for (const name of ["AUTOSTOP_TOKEN", "AWS_SECRET", "AUTOSTOP_KILL_TIMEOUT"]) delete process.env[name]
  })

  it("sends its counters while they change", async () => {
    const job = run({ act: "flow" })
    const result = await job.ended()
    assertClean(result.report)
    const counts = job.stages.map((stages) => stages[0]?.count ?? 0)
    assert.isAbove(counts.length, 2)
    assert.strictEqual(counts.at(-1), 60)
    assert.deepStrictEqual(result.report.stages, job.stages.at(-1))
  })

  it("does not mix with others that run at the same time", () => runAtOnce(4))

  it("takes and returns a large payload", async () => {
    const text = "ü€".repeat(1_000_000)
    const result = await run({ act: "add", text }).ended()
    assert.deepInclude(result.exit, { _tag: "Success", value: { at: new Date(1).toISOString(), text } })
  })
})
