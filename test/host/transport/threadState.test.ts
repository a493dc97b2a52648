import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  exited,
  exiting,
  failing,
  loaded,
  loading,
  terminating,
  type ThreadState
} from "../../../src/host/transport/threadState.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

const transitions = {
  loaded,
  exiting,
  terminating,
  failing: (state: ThreadState) => failing(state, "it is broken"),
  exited: (state: ThreadState) => exited(state, 1)
}

const failed: ThreadState = { _tag: "Failing", error: "it is broken", wasTerminated: false }

const machine: Machine<ThreadState, keyof typeof transitions> = {
  initial: loading,
  transitions,
  table: {
    Loading: {
      loaded: "Running",
      exiting: "Exiting",
      terminating: "Terminating",
      failing: "Failing",
      exited: "Exited"
    },
    Running: { exiting: "Exiting", terminating: "Terminating", failing: "Failing", exited: "Exited" },
    Exiting: { terminating: "Terminating", failing: "Failing", exited: "Exited" },
    Terminating: { failing: "Failing", exited: "Exited" },
    Failing: { exited: "Exited" },
    Exited: {}
  }
}

describe("the state of a thread", () => {
  itFollowsItsTable({
    ...machine,
    // the first one of a thread that fails changes how it is ended, which has a test of its own
    transitions: { ...transitions, terminating: (state) => state._tag === "Failing" ? state : terminating(state) }
  })

  it.effect.prop(
    "is terminated once at most, whatever happens",
    sequencesOf(machine),
    ({ sequence }) =>
      Effect.sync(() => {
        let terminations = 0
        walk(machine, sequence, (before, next, name) => {
          if (name === "terminating" && next !== before) terminations++
        })
        assert.isAtMost(terminations, 1)
      })
  )

  it("is terminated once if it fails, and does not exit by itself", () => {
    const once = terminating(failed)
    assert.notStrictEqual(once, failed)
    assert.strictEqual(terminating(once), once)
  })

  it("exits with its error if it has failed, and with its code otherwise", () => {
    assert.deepStrictEqual(walk(machine, ["loaded", "failing", "exited"]), {
      _tag: "Exited",
      how: "its thread failed: Error: it is broken"
    })
    assert.deepStrictEqual(walk(machine, ["loaded", "exiting", "exited"]), {
      _tag: "Exited",
      how: "its thread exited with code 1"
    })
  })
})
