import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  broken,
  exited,
  finished,
  isRunning,
  killed,
  killedOf,
  outcomeOf,
  released,
  type ReplicaState,
  resultOf,
  startFailed,
  starting,
  startMsOf,
  stopping,
  up
} from "../../../src/host/caller/replicaState.ts"
import type { HostResult } from "../../../src/host/wire/farewell.ts"
import type { Killed } from "../../../src/process/processGroup.ts"
import type { StopReport } from "../../../src/StopReport.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

// safe: no transition looks into the report
const result: HostResult = { report: {} as StopReport, failure: undefined }
const gone: Killed = { gone: true, how: "SIGKILL", durationMs: 1 }
const stays: Killed = { gone: false, how: "SIGKILL", durationMs: 1 }

const transitions = {
  up: (state: ReplicaState) => up(state, 5),
  startFailed: (state: ReplicaState) => startFailed(state, "it has no module"),
  stopping,
  broken: (state: ReplicaState) => broken(state, "it sent what is no frame"),
  finished: (state: ReplicaState) => finished(state, result),
  killed: (state: ReplicaState) => killed(state, gone),
  notKilled: (state: ReplicaState) => killed(state, stays),
  exited: (state: ReplicaState) => exited(state, "it exited"),
  released: (state: ReplicaState) => released(state, 7)
}
type Name = keyof typeof transitions

const machine: Machine<ReplicaState, Name> = {
  initial: starting,
  transitions,
  table: {
    Starting: {
      up: "Up",
      startFailed: "StartFailed",
      stopping: "Stopping",
      broken: "Broken",
      killed: "Killed",
      notKilled: "Killed",
      exited: "Exited"
    },
    StartFailed: { finished: "Finished", broken: "Broken", killed: "Killed", notKilled: "Killed", exited: "Exited" },
    Up: {
      stopping: "Stopping",
      finished: "Finished",
      broken: "Broken",
      killed: "Killed",
      notKilled: "Killed",
      exited: "Exited"
    },
    Stopping: { finished: "Finished", broken: "Broken", killed: "Killed", notKilled: "Killed", exited: "Exited" },
    Finished: { killed: "Killed", notKilled: "Killed", exited: "Exited" },
    Broken: { killed: "Killed", notKilled: "Killed", exited: "Exited" },
    Killed: { killed: "Killed", notKilled: "Killed", exited: "Exited" },
    Exited: { killed: "Exited", notKilled: "Exited", released: "Exited" }
  }
}

const sequences = sequencesOf(machine)

const after = (sequence: ReadonlyArray<Name>) => walk(machine, sequence)

describe("the state of a replica", () => {
  itFollowsItsTable(machine)

  it.effect.prop(
    "forgets neither the start, nor the result, nor that a host was gone",
    sequences,
    ({ sequence }) =>
      Effect.sync(() => {
        walk(machine, sequence, (state, next) => {
          if (startMsOf(state) !== undefined) assert.strictEqual(startMsOf(next), startMsOf(state))
          if (resultOf(state) !== undefined) assert.strictEqual(resultOf(next), resultOf(state))
          if (killedOf(state) !== undefined) assert.isDefined(killedOf(next))
          if (state._tag === "Exited") assert.isFalse(isRunning(next))
        })
      })
  )

  it.effect.prop("ends with an outcome that fits what has happened", sequences, ({ sequence }) =>
    Effect.sync(() => {
      const state = after([...sequence, "exited"])
      const outcome = outcomeOf(state)
      if (startMsOf(state) === undefined) assert.strictEqual(outcome, "start-failed")
      else if (killedOf(state)?.gone === true) assert.strictEqual(outcome, "killed")
      else assert.strictEqual(outcome, resultOf(state) === undefined ? "release-failed" : "released")
    }))

  const outcomes: ReadonlyArray<readonly [ReadonlyArray<Name>, string, boolean]> = [
    [["up", "stopping", "finished", "exited", "released"], "released", false],
    [["up", "exited"], "release-failed", false],
    [["up", "stopping"], "abandoned", true],
    [["up", "stopping", "notKilled"], "abandoned", true],
    [["up", "stopping", "killed"], "killed", false],
    [["up", "finished", "exited", "killed"], "killed", false],
    [["up", "broken", "killed", "exited"], "killed", false],
    [["startFailed", "killed", "exited"], "start-failed", false],
    [["startFailed", "up", "exited"], "start-failed", false]
  ]
  it.each(outcomes)("is reported after %s as %s", (sequence, outcome, running) => {
    const state = after(sequence)
    assert.strictEqual(outcomeOf(state), outcome)
    assert.strictEqual(isRunning(state), running)
  })

  it("distinguishes a host that stopped as asked from one that failed", () => {
    const stopped = (sequence: ReadonlyArray<Name>) => {
      const state = after([...sequence, "exited"])
      return state._tag === "Exited" && state.stopped
    }
    assert.isTrue(stopped(["up", "stopping", "finished"]))
    assert.isFalse(stopped(["up", "finished", "stopping"]))
    assert.isFalse(stopped(["up", "stopping"]))
  })
})
