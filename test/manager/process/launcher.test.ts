import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { jobEnvironment } from "../../../src/manager/process/jobEnvironment.ts"
import { Inspector } from "../../../src/manager/process/inspector.ts"
import { makeLauncher } from "../../../src/manager/process/launcher.ts"
import type { Submission } from "../../../src/manager/models.ts"
import { assertClean } from "../../../src/testing.ts"
import { messageOf, Ran, stored, urlOf } from "../../support/jobProcess.ts"

const { check: checkSubmission, inspect } = makeLauncher({ places: 4 })

describe("a submission", () => {
  const cases: ReadonlyArray<readonly [what: string, submission: Submission, message: RegExp]> = [
    [
      "a payload that does not match its Schema",
      { job: "work", payload: { act: 3 } },
      /the payload of "work" does not fit its Schema: Expected .* at \["act"\]/
    ],
    ["a missing payload", { job: "work" }, /the payload of "work" does not fit its Schema: .*\["act"\]/],
    [
      "a job that the module does not export",
      { job: "play" },
      /work\.ts exports no job "play"; its jobs: work, [a-z, ]*untold/
    ],
    ["a contract", { job: "contract" }, /"contract" of .*work\.ts is only a contract/],
    [
      "a setting that cannot be used",
      { job: "untold", stopPolicy: { deadline: "soon" } },
      /deadline is "soon"; expected a duration/
    ],
    [
      "a time that is too short to be one",
      { job: "untold", autostop: { idle: 5e-324 } },
      /autostop\.idle is 5e-324; expected a duration of more than zero/
    ],
    [
      "a limit that exceeds the deadline",
      { job: "untold", stopPolicy: { deadline: 5, drainTimeout: "10s" } },
      /drainTimeout is 10s; expected no more than deadline \(5ms\)/
    ]
  ]
  for (const [what, submission, message] of cases) {
    it(`is refused for ${what}, before its job starts and in its process`, async () => {
      const refusal = await Effect.runPromise(Effect.flip(checkSubmission({ module: urlOf("work") }, submission)))
      assert.match(refusal.message, message)
      const job = new Ran(submission)
      const result = await job.ended()
      assert.match(messageOf(result), message)
      assertClean(result.report)
      assert.deepInclude(result.report, { trigger: "failed", outcome: "failed", jobId: job.id, job: submission.job })
      assert.deepStrictEqual(job.events, [])
      assert.deepStrictEqual(stored(job.resultFile), result)
    })
  }

  it("is accepted if it can be run; the job of a module has a name", async () => {
    const check = checkSubmission({ module: urlOf("work") }, { job: "work", payload: { act: "add" } })
    await Effect.runPromise(Effect.all(Array.from({ length: 50 }, () => check), { concurrency: "unbounded" }))
    assert.strictEqual(await Effect.runPromise(inspect(urlOf("work"))), "work")
  })

  it("is told by the JSON Schema of the payload, which a process of its own makes", async () => {
    const work = { module: urlOf("work") }
    const launcher = makeLauncher({ places: 1 })
    const [schema, refused] = await Effect.runPromise(Effect.all([
      launcher.describe(work),
      Effect.flip(launcher.describe({ module: urlOf("gone") })),
      checkSubmission(work, { job: "work", payload: { act: "add" } })
    ], { concurrency: "unbounded" }))
    assert.include(JSON.stringify(schema), "\"act\"")
    assert.match(refused.message, /gone\.ts could not be loaded/)
  })

  it("is accepted although the manager was too busy to read the answer of the inspector", async () => {
    const inspector = new Inspector({
      module: urlOf("work"),
      nodeArgs: [],
      env: jobEnvironment(),
      loadMs: 30_000,
      checkMs: 1_000,
      onEnd: () => {}
    })
    await inspector.loaded
    const check = inspector.check({ job: "work", payload: { act: "add" } })
    // once the question is sent, this thread blocks for longer than the check may take
    await new Promise((resolve) => setImmediate(resolve))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
    assert.isUndefined(await check)
  })

  const loads: ReadonlyArray<readonly [how: string, message: RegExp]> = [
    ["throw", /broken\.ts could not be loaded: TypeError: bad config/],
    ["exit", /broken\.ts could not be loaded/],
    ["hang", /broken\.ts.*did not load within 0\.1 s/],
    ["block", /broken\.ts.*did not load within 0\.1 s/]
  ]
  for (const [how, message] of loads) {
    it(`is refused for a module that does "${how}" while it loads`, async () => {
      const env = { AUTOSTOP_TEST_BROKEN: how, ...(/hang|block/.test(how) ? { AUTOSTOP_START_TIMEOUT: "100ms" } : {}) }
      Object.assign(process.env, env)
      try {
        const check = Effect.flip(checkSubmission({ module: urlOf("broken") }, { job: "broken" }))
        const refused = await Effect.runPromise(
          Effect.all([check, Effect.flip(inspect(urlOf("broken")))], { concurrency: 2 })
        )
        for (const refusal of refused) assert.match(refusal.message, message)
        const result = await new Ran({ job: "broken" }, {}, urlOf("broken")).ended()
        assert.match(messageOf(result), how === "exit" ? /it exited with code 5 while it loaded/ : message)
        assert.deepInclude(result.report, { trigger: "failed", outcome: "failed", clean: true })
      } finally {
        for (const name of Object.keys(env)) delete process.env[name]
      }
    })
  }
})
