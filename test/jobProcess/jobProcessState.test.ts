import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as State from "../../src/jobProcess/jobProcessState.ts"
import { type JobLimits, nextKill } from "../../src/jobProcess/nextKill.ts"
import { ask, type Asked, nothing } from "../../src/jobProcess/parentRequests.ts"
import type { JobMessage, StopRequest } from "../../src/jobProcess/protocol.ts"
import { reportNamed } from "../support/report.ts"

const at = "2026-01-01T00:00:00.000Z"
const messages: Readonly<Record<string, JobMessage>> = {
  Alive: { _tag: "Alive" },
  Limits: { _tag: "Limits", deadlineMs: 1_000 },
  JobSubmitted: { _tag: "JobSubmitted", at, jobId: "1", job: "job" },
  RunStarted: { _tag: "RunStarted", at },
  StopRequested: { _tag: "StopRequested", at, trigger: "stopped", mode: "drain" },
  Reported: { _tag: "Reported", report: reportNamed("job") }
}

const Step = Schema.Struct({
  what: Schema.Literals([...Object.keys(messages), "killed", "ended"]),
  afterMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))
})
const Steps = Schema.Array(Step).check(Schema.isMaxLength(14))

const next = (state: State.JobProcessState, what: string, now: number): State.JobProcessState => {
  if (what === "killed") return State.killed(state, "deadline")
  if (what === "ended") return State.ended(state)
  return State.received(state, messages[what] ?? assert.fail(), now)
}

/** The states that a process runs through, with the time of each. */
const statesOf = (steps: typeof Steps.Type) => {
  let now = 0
  let state: State.JobProcessState = State.starting(now)
  return steps.map(({ afterMs, what }) => {
    now += afterMs
    const before = state
    state = next(before, what, now)
    return { before, what, state, now }
  })
}

/** All transitions to another state that there are. A kill and the end are possible in each state. */
const live = new Set([
  "Starting Alive Loading",
  "Starting Limits Loading",
  "Starting RunStarted Loading",
  "Starting StopRequested Loading",
  "Starting JobSubmitted Running",
  "Starting Reported Reported",
  "Loading JobSubmitted Running",
  "Loading Reported Reported",
  "Running StopRequested Stopping",
  "Running Reported Reported",
  "Stopping Reported Reported"
])

/** All sequences of that many messages, of which there is one of each kind. */
const sequences = (length: number): ReadonlyArray<ReadonlyArray<string>> =>
  length === 0
    ? [[]]
    : sequences(length - 1).flatMap((whats) => Object.keys(messages).map((what) => whats.concat(what)))

const limits: JobLimits = { deadlineMs: 1_000, loadMs: 300, afterMs: Infinity }
const request = (mode: StopRequest["mode"]): StopRequest => ({ trigger: "stopped", mode })

describe("the state of a job process", () => {
  it.effect.prop("changes as its table says, and not otherwise", { steps: Steps }, ({ steps }) =>
    Effect.sync(() => {
      for (const { before, state, what } of statesOf(steps)) {
        if (before._tag === "Ended") assert.strictEqual(state._tag, "Ended")
        else if (what === "ended") assert.strictEqual(state._tag, "Ended")
        else if (before._tag === "Killing" || what === "killed") assert.strictEqual(state._tag, "Killing")
        else if (before._tag !== state._tag) assert.include(live, `${before._tag} ${what} ${state._tag}`)
      }
    }), { arbitrary: { runs: 2_000 } })

  it("makes each transition of its table", () => {
    const seen = sequences(3).flatMap((whats) =>
      statesOf(whats.map((what) => ({ what, afterMs: 1 }))).flatMap(({ before, state, what }) =>
        before._tag === state._tag ? [] : [`${before._tag} ${what} ${state._tag}`]
      )
    )
    assert.deepStrictEqual(new Set(seen), live)
  })

  it.effect.prop(
    "keeps what the process says of itself while it is killed, and after its end",
    { steps: Steps },
    ({ steps }) =>
      Effect.sync(() => {
        const last = statesOf(steps).at(-1)?.state
        const alone = statesOf(
          steps.map((step) => ["killed", "ended"].includes(step.what) ? { ...step, what: "" } : step)
            .filter(({ what }) => what !== "")
        ).at(-1)?.state ?? State.starting(0)
        // times differ by the steps that were left out
        if (last !== undefined) assert.strictEqual(State.liveStateOf(last)._tag, alone._tag)
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop("names why it was killed first", { steps: Steps }, ({ steps }) =>
    Effect.sync(() => {
      const all = statesOf(steps)
      const first = all.findIndex(({ what }) => what === "killed" || what === "ended")
      const why = all[first]?.what === "killed" ? "deadline" : undefined
      const last = all.at(-1)?.state ?? State.starting(0)
      assert.strictEqual(State.killReasonOf(State.killed(last, "silence")), first < 0 ? "silence" : why)
    }), { arbitrary: { runs: 500 } })
})

describe("the next kill", () => {
  it.effect.prop(
    "is later than now, and there is none for a running job that was not asked to stop",
    { steps: Steps },
    ({ steps }) =>
      Effect.sync(() => {
        for (const { now, state } of statesOf(steps)) {
          const of = State.liveStateOf(state)
          const kill = nextKill(of, nothing, limits)
          if (kill.at < Infinity) assert.notStrictEqual(kill.why, "exit")
          if (of._tag === "Running") assert.strictEqual(kill.at, Infinity)
          if (of._tag !== "Running" && of._tag !== "Stopping") assert.isAbove(kill.at, now)
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "never comes later because something was asked for, and the sooner the harsher that is",
    { steps: Steps },
    ({ steps }) =>
      Effect.sync(() => {
        for (const { now, state } of statesOf(steps)) {
          const of = State.liveStateOf(state)
          const asked = [
            nothing,
            ask(nothing, request("drain"), now, false),
            ask(nothing, request("kill"), now, false),
            ask(nothing, request("kill"), now, true)
          ]
          const times = asked.map((asked) => nextKill(of, asked, { ...limits, deadlineMs: 60_000 }).at)
          assert.deepStrictEqual(times, times.toSorted((a, b) => b - a))
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "never comes later because a request is repeated",
    { times: Schema.Array(Schema.Int) },
    ({ times }) =>
      Effect.sync(() => {
        let asked: Asked = nothing
        let killAt = Infinity
        for (const [n, time] of times.map(Math.abs).toSorted((a, b) => a - b).entries()) {
          asked = ask(asked, request(n > 1 ? "kill" : "drain"), time, n > 2)
          const { at } = nextKill({ _tag: "Running", since: 0 }, asked, limits)
          assert.isAtMost(at, killAt)
          killAt = at
        }
      })
  )

  const asks = (mode: StopRequest["mode"], exits = false) => ask(nothing, request(mode), 100, exits)
  const rows: ReadonlyArray<
    readonly [what: string, state: State.LiveState, asked: Asked, kill: readonly [number, string]]
  > = [
    ["a process that sends nothing", { _tag: "Starting", since: 0 }, nothing, [30_000, "load"]],
    ["a module that does not load", { _tag: "Loading", heardAt: 50 }, nothing, [2_350, "load"]],
    ["a job that does not stop", { _tag: "Stopping", since: 100, runningSince: 0 }, nothing, [1_600, "deadline"]],
    ["a job that does not answer a request", { _tag: "Running", since: 0 }, asks("drain"), [1_600, "deadline"]],
    ["a job that does not stop at once", { _tag: "Running", since: 0 }, asks("kill"), [1_600, "deadline"]],
    ["a job that does not exit at once", { _tag: "Running", since: 0 }, asks("kill", true), [350, "exit"]],
    [
      "a process that has reported and sends nothing",
      { _tag: "Reported", heardAt: 200, hadJob: true, reported: { _tag: "Reported", report: reportNamed("job") } },
      asks("drain"),
      [3_200, "silence"]
    ]
  ]
  for (const [what, state, asked, [at, why]] of rows) {
    it(`of ${what} is at ${at} ms`, () => assert.deepStrictEqual<object>(nextKill(state, asked, limits), { at, why }))
  }

  it("of a job that was to stop by itself counts from its submit", () => {
    const kill = nextKill({ _tag: "Running", since: 10 }, nothing, { ...limits, afterMs: 100 })
    assert.deepStrictEqual<object>(kill, { at: 1_610, why: "after" })
  })

  it("of a job without a deadline is never, unless it is asked to stop at once", () => {
    const none = { ...limits, deadlineMs: Infinity }
    assert.strictEqual(nextKill({ _tag: "Running", since: 0 }, asks("drain"), none).at, Infinity)
    assert.strictEqual(nextKill({ _tag: "Running", since: 0 }, asks("kill"), none).at, 2_600)
  })
})
