import { assert, describe, it } from "@effect/vitest"
import { kindOfEnd } from "../../src/jobProcess/jobEnd.ts"
import * as State from "../../src/jobProcess/jobProcessState.ts"
import type { ChildEnd } from "../../src/process/childProcess.ts"
import { reportNamed } from "../support/report.ts"

const exited: ChildEnd = { _tag: "Exited", code: 1 }
const signalled = (signal: NodeJS.Signals): ChildEnd => ({ _tag: "Signalled", signal })
const reported = { _tag: "Reported", report: reportNamed("job") } as const

const loading: State.LiveState = { _tag: "Loading", heardAt: 0 }
const running: State.LiveState = { _tag: "Running", since: 0 }
const withReport = (hadJob: boolean): State.LiveState => ({ _tag: "Reported", heardAt: 0, hadJob, reported })

const rows: ReadonlyArray<readonly [what: string, end: ChildEnd, state: State.JobProcessState, kind: object]> = [
  ["exits after its report", exited, withReport(true), { _tag: "Exited", code: 1, reported }],
  ["exits after the report of a job that was refused", exited, withReport(false), {
    _tag: "Exited",
    code: 1,
    reported
  }],
  ["exits without a job", exited, loading, { _tag: "Exited", code: 1, reported: undefined }],
  ["exits before its job has reported", exited, running, { _tag: "Died" }],
  ["is ended by SIGTERM before it has a job", signalled("SIGTERM"), State.starting(0), {
    _tag: "EndedBySignal",
    signal: "SIGTERM"
  }],
  ["is ended by SIGTERM although it has a job", signalled("SIGTERM"), running, { _tag: "Died" }],
  ["is ended by SIGTERM after its report", signalled("SIGTERM"), withReport(true), { _tag: "Died" }],
  ["is ended by SIGKILL before it has a job", signalled("SIGKILL"), loading, { _tag: "Died" }],
  ["is killed because it does not load", signalled("SIGTERM"), State.killed(loading, "load"), { _tag: "NotLoaded" }],
  ["is killed because it does not stop", signalled("SIGKILL"), State.killed(running, "deadline"), { _tag: "Died" }],
  ["exits by itself while it is killed", exited, State.killed(withReport(true), "silence"), { _tag: "Died" }],
  ["cannot be started", { _tag: "NotStarted", message: "no room" }, State.starting(0), {
    _tag: "NotStarted",
    message: "no room"
  }]
]

describe("the end of a job process", () => {
  for (const [what, end, state, kind] of rows) {
    it(`that ${what}`, () => {
      assert.deepStrictEqual<object>(kindOfEnd(end, state), kind)
      assert.deepStrictEqual<object>(kindOfEnd(end, State.ended(state)), kind)
    })
  }
})
