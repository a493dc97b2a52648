import { assert, describe, it } from "@effect/vitest"
import type { StopMode } from "../../../src/JobEvent.ts"
import type { JobState } from "../../../src/manager/models.ts"
import {
  footLine,
  listShown,
  pressed,
  selectedOf,
  type WatchAction,
  type WatchState
} from "../../../src/cli/views/watchState.ts"

const job = (id: string, state: JobState = "running") => ({ id, job: `job ${id}`, state })
const jobs = [job("a", "stopping"), job("b"), job("c", "stopped")]

/** Presses keys one after the other, from the list. */
const press = (keys: ReadonlyArray<string>, from: WatchState = listShown, listed = jobs) => {
  let state = from
  const actions: Array<WatchAction> = []
  for (const key of keys) {
    const next = pressed(state, key, listed)
    state = next.state
    if (next.action !== undefined) actions.push(next.action)
  }
  return { state, actions, selected: selectedOf(state, listed)?.id }
}

const [up, down, enter, esc] = ["\u001b[A", "\u001b[B", "\r", "\u001b"] as const

describe("the keys of autostop watch", () => {
  it("select a job, and go no further than the first and the last", () => {
    const found = [[], [down], ["j", down], [down, down, down, down], [down, up], [up], ["\u001b[6~"]].map((keys) =>
      press(keys).selected
    )
    assert.deepStrictEqual(found, ["a", "b", "c", "c", "a", "a", "c"])
  })

  it("stay with a job whose place changes, and go to the first one if it is gone", () => {
    const { state } = press([down])
    assert.strictEqual(selectedOf(state, jobs.toReversed())?.id, "b")
    assert.strictEqual(selectedOf(state, [job("c"), job("d")])?.id, "c")
    assert.strictEqual(selectedOf(state, []), undefined)
  })

  it("open a job, keep to it, and go back", () => {
    const open = press([down, enter])
    assert.deepInclude(open.state, { isOpen: true, selected: "b" })
    assert.strictEqual(press([down], open.state).selected, "b")
    assert.isFalse(press([esc], open.state).state.isOpen)
    assert.isFalse(press(["\u007f"], open.state).state.isOpen)
  })

  it("never turn to another job in place of an open one that is gone", () => {
    const { state } = press([down, enter])
    const gone = press(["x", "y"], state, [job("c")])
    assert.deepStrictEqual([gone.actions, gone.selected], [[], undefined])
  })

  it("stop a job only if that is confirmed", () => {
    const stop = (mode: StopMode): ReadonlyArray<WatchAction> => [{ _tag: "Stop", id: "b", mode }]
    assert.deepStrictEqual(press([down, "d", "y"]).actions, stop("drain"))
    assert.deepStrictEqual(press([down, enter, "c", "Y"]).actions, stop("cancel"))
    assert.deepStrictEqual(press([down, "x", "y"]).actions, stop("kill"))
    for (const key of ["n", enter, esc, "q", "x", down]) {
      const { actions, state } = press([down, "x", key])
      assert.deepStrictEqual(actions, [], key)
      assert.strictEqual(state.said, "The job was not asked to kill.", key)
    }
    assert.deepStrictEqual(press([down, "y"]).actions, [])
  })

  it("ask about the job that was selected, whatever is first meanwhile", () => {
    const { state } = press(["d"])
    assert.deepStrictEqual(press(["y"], state, [job("b"), job("a")]).actions, [{
      _tag: "Stop",
      id: "a",
      mode: "drain"
    }])
  })

  it("have nothing to stop of a job that has stopped, or of none", () => {
    const { actions, state } = press([down, down, "x", "y"])
    assert.deepStrictEqual(actions, [])
    assert.isUndefined(state.asked)
    assert.deepStrictEqual(press(["x", "y", enter], listShown, []).actions, [])
  })

  it("show whom a job waits for, and no longer", () => {
    assert.isTrue(press([down, "w"]).state.areWaitsShown)
    assert.isFalse(press([down, "w", "w"]).state.areWaitsShown)
  })

  it("end it", () => {
    assert.deepStrictEqual(press(["q"]).actions, [{ _tag: "Quit" }])
    assert.deepStrictEqual(press([enter, "q"]).actions, [{ _tag: "Quit" }])
  })

  it("are named in the last line, which asks, or says what came of a key", () => {
    const foot = (keys: ReadonlyArray<string>) => footLine(press(keys).state, (id) => `job ${id}`)
    assert.include(foot([]), "Enter open")
    assert.include(foot([enter]), "Esc back")
    assert.match(foot([down, "x"]), /^kill job b\? It gives the release no time, .* y: yes, any other key: no$/)
    assert.strictEqual(foot([down, down, "d"]), "job c has stopped already.")
    assert.include(foot([down, down, "d", "j"]), "Enter open")
  })
})
