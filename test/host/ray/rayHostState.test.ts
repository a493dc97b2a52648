import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import type { RayGuard } from "../../../src/host/ray/rayGuard.ts"
import {
  connected,
  dataOf,
  drained,
  exited,
  guarded,
  guardOf,
  hostEnded,
  losing,
  opening,
  pidOf,
  type RayHostState,
  started
} from "../../../src/host/ray/rayHostState.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

// safe: no transition looks into either of them
const guard = {} as RayGuard
const data = {} as Socket

const transitions = {
  guarded: (state: RayHostState) => guarded(state, guard),
  started: (state: RayHostState) => started(state, 7),
  connected: (state: RayHostState) => connected(state, data),
  losing: (state: RayHostState) => losing(state, "its guard was lost"),
  ended: (state: RayHostState) => hostEnded(state, { how: "its process exited" }),
  endedLeaving: (state: RayHostState) => hostEnded(state, { how: "its process exited", leftover: "a child" }),
  drained,
  exited: (state: RayHostState) => exited(state, "it was killed")
}

const machine: Machine<RayHostState, keyof typeof transitions> = {
  initial: opening,
  transitions,
  table: {
    Opening: { guarded: "Guarded", losing: "Exited", exited: "Exited" },
    Guarded: {
      started: "Started",
      connected: "Connected",
      losing: "Exited",
      ended: "Exited",
      endedLeaving: "Exited",
      exited: "Exited"
    },
    Started: { connected: "Open", losing: "Exited", ended: "Exited", endedLeaving: "Exited", exited: "Exited" },
    Connected: { started: "Open", losing: "Exited", ended: "Exited", endedLeaving: "Exited", exited: "Exited" },
    Open: { losing: "Losing", ended: "Ended", endedLeaving: "Ended", exited: "Exited" },
    Losing: { ended: "Ended", endedLeaving: "Ended", exited: "Exited" },
    Ended: { endedLeaving: "Ended", drained: "Exited", exited: "Exited" },
    Exited: { endedLeaving: "Exited" }
  }
}

const howOf = (state: RayHostState) => "how" in state ? state.how : undefined
const leftoverOf = (state: RayHostState) => "leftover" in state ? state.leftover : undefined

describe("the state of a host in a Ray actor", () => {
  itFollowsItsTable(machine)

  it.effect.prop(
    "forgets neither its guard, nor its process, nor how it ended, nor what was left over",
    sequencesOf(machine),
    ({ sequence }) =>
      Effect.sync(() =>
        walk(machine, sequence, (before, next) => {
          for (const read of [guardOf, pidOf, howOf, leftoverOf]) {
            if (read(before) !== undefined) assert.strictEqual(read(next), read(before), read.name)
          }
        })
      )
  )

  it.effect.prop(
    "keeps its socket until it has exited",
    sequencesOf(machine),
    ({ sequence }) =>
      Effect.sync(() =>
        walk(machine, sequence, (before, next) => {
          if (dataOf(before) !== undefined && next._tag !== "Exited") assert.strictEqual(dataOf(next), data)
        })
      )
  )

  it("ends for the reason that came first", () => {
    assert.strictEqual(
      howOf(walk(machine, ["guarded", "started", "connected", "losing", "ended", "drained"])),
      "its guard was lost"
    )
    assert.strictEqual(
      howOf(walk(machine, ["guarded", "connected", "started", "ended", "losing", "exited"])),
      "its process exited"
    )
    assert.strictEqual(howOf(walk(machine, ["guarded", "losing", "exited"])), "its guard was lost")
  })
})
