import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { notStarted } from "../../../src/manager/fallbackResult.ts"
import {
  type Input,
  type JobState,
  queued,
  stateInfo,
  type StateOf,
  type StopRequest,
  type Tag,
  transition
} from "../../../src/manager/jobs/jobState.ts"
import type { StopCommand } from "../../../src/manager/models.ts"
import { at, resultOf } from "../../support/store.ts"

const process = { pid: 7, stop: () => {} }
const attempt = { restarts: 1, startedAt: at(1), pid: 7 }
const next = { restarts: 1 }
const result = resultOf("a")
const byClient: StopRequest = { by: "client", command: { reason: "enough" } }
const byShutdown: StopRequest = { by: "shutdown", command: { reason: "shutdown" } }
const notStartedResult = ({ reason }: StopCommand) =>
  notStarted({ id: "a", job: "flights", trigger: "stopped", reason, at: at(9) })

const inputs = {
  due: { _tag: "Due" },
  slotFree: { _tag: "SlotFree" },
  processStarted: { _tag: "ProcessStarted", startedAt: at(1), process },
  runStarted: { _tag: "Reported", event: { _tag: "RunStarted", at: at(2) } },
  stopReported: {
    _tag: "Reported",
    event: { _tag: "StopRequested", at: at(3), trigger: "idle", mode: "drain", reason: "nothing to do" }
  },
  otherEvent: { _tag: "Reported", event: { _tag: "ServiceStarting", at: at(2), service: "S" } },
  stopByClient: { _tag: "StopRequested", request: byClient, notStarted: notStartedResult },
  stopByShutdown: { _tag: "StopRequested", request: byShutdown, notStarted: notStartedResult },
  ended: { _tag: "Ended", result },
  restarted: { _tag: "Restarted" },
  restartedLater: { _tag: "Restarted", restartsAt: at(60) },
  restartStored: { _tag: "RestartStored", now: Date.parse(at(5)), notStarted: notStartedResult },
  finished: { _tag: "Finished" }
} as const satisfies Record<string, Input>
type Name = keyof typeof inputs
// safe: the keys of an object of this module
const names = Object.keys(inputs) as ReadonlyArray<Name>

/** One state for each case that a transition depends on. */
const states = {
  Waiting: { _tag: "Waiting", next: { ...next, restartsAt: at(60) } },
  Queued: { _tag: "Queued", next },
  Launching: { _tag: "Launching", next, stop: undefined },
  Starting: { _tag: "Starting", attempt, process, stop: undefined },
  Running: { _tag: "Running", attempt, process, stop: undefined },
  Stopping: { _tag: "Stopping", attempt, process, stop: undefined, cause: { trigger: "stopped" } },
  Lost: { _tag: "Lost", info: { state: "running", startedAt: at(1), pid: 7 }, stop: undefined },
  Ending: { _tag: "Ending", info: { state: "running", startedAt: at(1), pid: 7 }, result, stop: undefined },
  Requeuing: { _tag: "Requeuing", next, stop: undefined },
  Stopped: { _tag: "Stopped", info: { state: "stopped", startedAt: at(1), stoppedAt: at(2) } }
} as const satisfies { readonly [T in Tag]: StateOf<T> }

/** Every transition to another state. No other exists. */
const transitions: { readonly [T in Tag]: { readonly [N in Name]?: Tag } } = {
  Waiting: { due: "Queued", stopByClient: "Ending", stopByShutdown: "Ending" },
  Queued: { slotFree: "Launching", stopByClient: "Ending", stopByShutdown: "Ending" },
  Launching: { processStarted: "Starting", ended: "Ending" },
  Starting: { runStarted: "Running", stopReported: "Stopping", ended: "Ending" },
  Running: { stopReported: "Stopping", ended: "Ending" },
  Stopping: { ended: "Ending" },
  Lost: { ended: "Ending" },
  Ending: { restarted: "Requeuing", restartedLater: "Requeuing", finished: "Stopped" },
  Requeuing: { restartStored: "Queued" },
  Stopped: {}
}

describe("the state of a job", () => {
  for (const state of Object.values(states)) {
    it(`${state._tag} changes to ${Object.values(transitions[state._tag]).join(", ") || "no other state"}`, () => {
      for (const name of names) {
        const expected: Tag = transitions[state._tag][name] ?? state._tag
        assert.strictEqual(transition(state, inputs[name])._tag, expected, name)
      }
    })
  }

  it("waits after a restart whose time has not come", () => {
    const requeuing = transition(states.Ending, inputs.restartedLater)
    assert.strictEqual(transition(requeuing, inputs.restartStored)._tag, "Waiting")
    assert.strictEqual(transition(requeuing, { ...inputs.restartStored, now: Date.parse(at(60)) })._tag, "Queued")
  })

  it("ends after a restart if a stop was requested before the restart was on disk", () => {
    const stopped = transition(transition(states.Requeuing, inputs.stopByClient), inputs.restartStored)
    assert.deepInclude(stopped, { _tag: "Ending", stop: byClient, result: notStartedResult(byClient.command) })
  })

  it("is not requeued after a stop by a client, and is after one by the shutdown", () => {
    const stopped = transition(states.Ending, inputs.stopByClient)
    assert.strictEqual(transition(stopped, inputs.restarted), stopped)
    const paused = transition(states.Ending, inputs.stopByShutdown)
    assert.strictEqual(transition(paused, inputs.restarted)._tag, "Requeuing")
  })

  it("keeps the first cause of a stop that its process reports", () => {
    const stopping = transition(states.Running, inputs.stopReported)
    const again = transition(stopping, {
      _tag: "Reported",
      event: { _tag: "StopRequested", at: at(4), trigger: "stopped", mode: "kill", reason: "now" }
    })
    assert.deepInclude(stateInfo(again), { state: "stopping", trigger: "idle", reason: "nothing to do" })
  })

  it("keeps the harsher of two stops, and that of a client", () => {
    const stopOf = (...requests: ReadonlyArray<StopRequest>) => {
      const state = requests.reduce<JobState>(
        (state, request) => transition(state, { ...inputs.stopByClient, request }),
        states.Launching
      )
      return state._tag === "Launching" ? state.stop : assert.fail(state._tag)
    }
    const kill: StopRequest = { by: "client", command: { mode: "kill" } }
    assert.strictEqual(stopOf(kill, byClient), kill)
    assert.strictEqual(stopOf(byClient, kill), kill)
    assert.strictEqual(stopOf(byShutdown, byClient), byClient)
    assert.strictEqual(stopOf(byClient, byShutdown), byClient)
  })

  const Inputs = Schema.Array(Schema.Literals(["slotFree", "ended", "restartStored", ...names]))
  // safe: `names` are the keys of `inputs`
  const inputsOf = (chosen: ReadonlyArray<string>) => chosen.map((name) => inputs[name as Name])

  it.prop("never changes once it is Stopped", { before: Inputs, after: Inputs }, ({ after, before }) => {
    const ended = [...inputsOf(before), inputs.stopByClient, inputs.ended, inputs.restartStored, inputs.finished]
      .reduce(transition, queued({ restarts: 0 }, 0))
    const stopped = ended._tag === "Stopped" ? ended : transition(states.Ending, inputs.finished)
    assert.strictEqual(stopped._tag, "Stopped")
    for (const input of inputsOf(after)) assert.strictEqual(transition(stopped, input), stopped)
  })

  it.prop("never restarts after a stop by a client", { before: Inputs, after: Inputs }, ({ after, before }) => {
    let state: JobState = inputsOf(before).reduce(transition, queued({ restarts: 0 }, 0))
    // a restart that was decided before the stop is taken back once it is on disk
    const restarts = stateInfo(state).restarts
    for (const input of [inputs.stopByClient, ...inputsOf(after)]) {
      state = transition(state, input)
      assert.strictEqual(stateInfo(state).restarts, restarts)
    }
  })

  it.prop("shows public states in their order, and the same fields in each", { chosen: Inputs }, ({ chosen }) => {
    const order = ["queued", "starting", "running", "stopping", "stopped"]
    let state: JobState = queued({ restarts: 0 }, 0)
    for (const input of inputsOf(chosen)) {
      const before = stateInfo(state)
      state = transition(state, input)
      const info = stateInfo(state)
      if (state._tag !== "Requeuing") assert.isAtLeast(order.indexOf(info.state), order.indexOf(before.state))
      if (info.state === "queued") assert.notProperty(info, "startedAt")
      if (info.state !== "queued") assert.notProperty(info, "restartsAt")
      if (["starting", "running", "stopping"].includes(info.state)) assert.property(info, "startedAt")
      assert.strictEqual(info.stoppedAt !== undefined, info.state === "stopped")
      assert.isAtLeast(info.restarts ?? 0, before.restarts ?? 0)
    }
  })
})
