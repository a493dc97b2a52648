import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ActorStates } from "../../../src/host/ray/actorStates.ts"
import type { Driver } from "../../../src/host/ray/rayDriver.ts"
import {
  actorsOf,
  announced,
  driverOf,
  ended,
  ending,
  isReplaced,
  lost,
  preparing,
  type RayJobState,
  running,
  stopped,
  submitted
} from "../../../src/host/ray/rayJobState.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

// safe: no transition looks into either of them
const actors = {} as ActorStates
const driver = {} as Driver

const transitions = {
  submitted,
  announced: (state: RayJobState) => announced(state, actors),
  running: (state: RayJobState) => running(state, driver),
  stopped,
  lost: (state: RayJobState) => lost(state, "it has ended"),
  ending,
  ended
}

const machine: Machine<RayJobState, keyof typeof transitions> = {
  initial: preparing,
  transitions,
  table: {
    Preparing: { submitted: "Submitted", lost: "Unsubmitted", ending: "Ended" },
    Submitted: { announced: "Announced", lost: "Lost", ending: "Ending" },
    Announced: { running: "Running", lost: "Lost", ending: "Ending" },
    Running: { stopped: "Stopped", lost: "Lost", ending: "Ending" },
    Stopped: { lost: "Lost", ending: "Ending" },
    Unsubmitted: { ending: "Ended" },
    Lost: { ending: "Ending" },
    Ending: { ended: "Ended" },
    Ended: {}
  }
}

describe("the state of a Ray job", () => {
  itFollowsItsTable(machine)

  it.effect.prop("forgets its actors never, and its driver only once that is of no use", sequencesOf(machine), ({
    sequence
  }) =>
    Effect.sync(() =>
      walk(machine, sequence, (before, next) => {
        if (actorsOf(before) !== undefined) assert.strictEqual(actorsOf(next), actors)
        if (driverOf(before) === undefined || driverOf(next) !== undefined) return
        assert.include(["Lost", "Ended"], next._tag)
      })
    ))

  it.effect.prop(
    "is not replaced once somebody else has stopped it, or its owner has ended it",
    sequencesOf(machine),
    ({
      sequence
    }) =>
      Effect.sync(() => {
        const isFinal = (state: RayJobState) => ["Stopped", "Ending", "Ended"].includes(state._tag)
        let wasFinal = false
        walk(machine, sequence, (_, next) => {
          wasFinal ||= isFinal(next)
          if (wasFinal) assert.isFalse(isReplaced(next))
        })
      })
  )

  it("is replaced if it could not be submitted, or has lost its driver", () => {
    assert.isTrue(isReplaced(walk(machine, ["lost"])))
    assert.isTrue(isReplaced(walk(machine, ["submitted", "announced", "running", "lost"])))
    assert.isFalse(isReplaced(walk(machine, ["submitted", "announced", "running"])))
  })
})
