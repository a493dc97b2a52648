import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  actorOf,
  created,
  dead,
  hostGone,
  isHostGone,
  lacking,
  type RayActorState,
  requested,
  workerGone
} from "../../../src/host/ray/rayActorState.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

const ids = { actorId: "a", nodeId: "n" }

const transitions = {
  lacking: (state: RayActorState) => lacking(state, "; there is no GPU"),
  created: (state: RayActorState) => created(state, ids),
  hostGone,
  workerGone,
  dead
}

const machine: Machine<RayActorState, keyof typeof transitions> = {
  initial: requested,
  transitions,
  table: {
    Requested: { lacking: "Requested", created: "Created" },
    Created: { hostGone: "HostGone", workerGone: "WorkerGone" },
    HostGone: { workerGone: "ProcessesGone" },
    WorkerGone: { hostGone: "ProcessesGone" },
    ProcessesGone: { dead: "Dead" },
    Dead: {}
  }
}

describe("the state of a Ray actor", () => {
  itFollowsItsTable(machine)

  it.effect.prop("says that a kill succeeded only if host, worker and Ray were seen to agree", sequencesOf(machine), ({
    sequence
  }) =>
    Effect.sync(() => {
      const state = walk(machine, sequence)
      const from = sequence.indexOf("created")
      const after = from < 0 ? [] : sequence.slice(from)
      const processes = Math.max(after.indexOf("hostGone"), after.indexOf("workerGone"))
      const areGone = after.includes("hostGone") && after.includes("workerGone")
      const killSuccess = areGone && after.slice(processes).includes("dead")
      assert.deepStrictEqual(actorOf(state), from < 0 ? undefined : { ...ids, killSuccess })
      assert.strictEqual(isHostGone(state), after.includes("hostGone"))
    }))
})
