import { describe } from "@effect/vitest"
import { ended, ending, open, type RayTransportState } from "../../../src/host/ray/rayTransportState.ts"
import { itFollowsItsTable, type Machine } from "../../support/stateTable.ts"

const transitions = { ending, ended: (state: RayTransportState) => ended(state, []) }

const machine: Machine<RayTransportState, keyof typeof transitions> = {
  initial: open,
  transitions,
  table: { Open: { ending: "Ending" }, Ending: { ended: "Ended" }, Ended: {} }
}

describe("the state of what the hosts of a service live in", () => {
  itFollowsItsTable(machine)
})
