import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { CallServer } from "../../../src/host/server/callServer.ts"
import {
  initialized,
  type OwnerInboxState,
  serverOf,
  serving,
  stopping,
  waiting
} from "../../../src/host/server/ownerInboxState.ts"
import type { Init } from "../../../src/host/wire/handshake.ts"
import { itFollowsItsTable, type Machine, sequencesOf, walk } from "../../support/stateTable.ts"

// safe: no transition looks into either of them
const init = {} as Init
const server = {} as CallServer

const transitions = {
  initialized: (state: OwnerInboxState) => initialized(state, init),
  serving: (state: OwnerInboxState) => serving(state, server),
  stopping: (state: OwnerInboxState) => stopping(state, 5)
}

const machine: Machine<OwnerInboxState, keyof typeof transitions> = {
  initial: waiting,
  transitions,
  table: {
    Waiting: { initialized: "Initialized", stopping: "Refused" },
    Initialized: { serving: "Serving", stopping: "Stopping" },
    Serving: { stopping: "Stopping" },
    Stopping: { serving: "Stopping" },
    Refused: {}
  }
}

describe("the state of what an owner asks of its host", () => {
  itFollowsItsTable(machine)

  it.effect.prop(
    "keeps the server of the calls that run once it is stopping",
    sequencesOf(machine),
    ({ sequence }) =>
      Effect.sync(() => {
        walk(machine, sequence, (before, next) => {
          if (serverOf(before) !== undefined) assert.strictEqual(serverOf(next), server)
        })
      })
  )
})
