import { assert, describe, it } from "@effect/vitest"
import { ended, type HostProcessState, killed, running } from "../../../src/host/transport/hostProcessState.ts"
import { itFollowsItsTable, type Machine, walk } from "../../support/stateTable.ts"

const transitions = { killed, ended: (state: HostProcessState) => ended(state, "a child") }

const machine: Machine<HostProcessState, keyof typeof transitions> = {
  initial: running,
  transitions,
  table: { Running: { killed: "Killed", ended: "Ended" }, Killed: { ended: "Ended" }, Ended: {} }
}

describe("the state of the process of a host", () => {
  itFollowsItsTable(machine)

  it("names what was left over, unless the process was killed before", () => {
    assert.deepStrictEqual(walk(machine, ["ended", "killed"]), { _tag: "Ended", leftover: "a child" })
    assert.deepStrictEqual(walk(machine, ["killed", "ended"]), { _tag: "Ended", leftover: undefined })
  })
})
