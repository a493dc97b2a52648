import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  actorEnded,
  childOf,
  type GuardState,
  hostEnded,
  hostStarted,
  stopping,
  waiting
} from "../../../src/host/ray/guardState.ts"
import type { HostProcess } from "../../../src/host/transport/hostProcess.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

// safe: no transition looks into it
const child = {} as HostProcess

const transitions = { hostStarted: (state: GuardState) => hostStarted(state, child), stopping, hostEnded, actorEnded }

const machine: Machine<GuardState, keyof typeof transitions> = {
  initial: waiting,
  transitions,
  table: {
    Waiting: { hostStarted: "Running", stopping: "Closed", actorEnded: "Leaving" },
    Running: { stopping: "Stopping", hostEnded: "Ended", actorEnded: "Orphaned" },
    Stopping: { hostEnded: "Ended", actorEnded: "Orphaned" },
    Ended: { actorEnded: "Leaving" },
    Closed: { actorEnded: "Leaving" },
    Orphaned: { hostEnded: "Leaving" },
    Leaving: {}
  }
}

describe("the state of a guard", () => {
  itFollowsItsTable(machine)

  it.effect.prop(
    "starts one host at most, and leaves only when neither it nor the actor is there",
    sequencesOf(machine),
    ({
      sequence
    }) =>
      Effect.sync(() => {
        let starts = 0
        let ends = 0
        const last = walk(machine, sequence, (before, next, name) => {
          if (before === next) return
          if (name === "hostStarted") starts++
          if (name === "hostEnded") ends++
          if (next._tag === "Leaving") assert.strictEqual(ends, starts)
        })
        assert.isAtMost(starts, 1)
        if (last._tag === "Leaving") assert.include(sequence, "actorEnded")
      })
  )

  it.effect.prop("forgets no host that it has started: that may have left processes behind", sequencesOf(machine), ({
    sequence
  }) =>
    Effect.sync(() =>
      walk(machine, sequence, (before, next) => {
        if (childOf(before) !== undefined) assert.strictEqual(childOf(next), child)
      })
    ))
})
