import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Board } from "../../../src/cli/views/board.ts"
import * as State from "../../../src/cli/views/boardState.ts"
import { JobInfo, JobState, type Overview } from "../../../src/manager/models.ts"

const at = "2026-01-01T00:00:00.000Z"
const now = Date.parse(at)
const overview: Overview = {
  _tag: "Overview",
  version: "1.0.0",
  at,
  startedAt: at,
  ready: true,
  counts: { queued: 1, starting: 0, running: 0, stopping: 0, stopped: 0 },
  jobs: []
}

type Step = (state: State.BoardState) => State.BoardState
const steps: Readonly<Record<string, Step>> = {
  overviewCame: () => State.overviewCame(overview),
  connectionLost: State.connectionLost,
  connectionHeard: State.connectionHeard,
  jobMoved: (state) => State.jobMoved(state, "queued", "running")
}
const Steps = Schema.Array(Schema.Literals(Object.keys(steps))).check(Schema.isMaxLength(8))

/** All transitions to another state that there are. */
const transitions = new Set([
  "Empty overviewCame Current",
  "Current connectionLost Outdated",
  "Outdated connectionHeard Current",
  "Outdated overviewCame Current"
])

describe("the state of a board", () => {
  it("makes each transition of its table, and no other", () => {
    const states = [State.empty, State.overviewCame(overview), State.connectionLost(State.overviewCame(overview))]
    const seen = states.flatMap((before) =>
      Object.entries(steps).flatMap(([name, step]) => {
        const after = step(before)
        return after._tag === before._tag ? [] : [`${before._tag} ${name} ${after._tag}`]
      })
    )
    assert.deepStrictEqual(new Set(seen), transitions)
  })

  it.prop("is Empty until the first overview has come, and never again", { names: Steps }, ({ names }) => {
    let state = State.empty
    for (const [n, name] of names.entries()) {
      state = steps[name]?.(state) ?? assert.fail()
      assert.strictEqual(state._tag === "Empty", !names.slice(0, n + 1).includes("overviewCame"))
    }
  })

  it("counts each job in one state", () => {
    const states = [undefined, ...JobState.literals]
    for (const before of states) {
      for (const after of JobState.literals) {
        const moved = State.jobMoved(State.overviewCame(overview), before, after)
        if (moved._tag === "Empty") assert.fail()
        const total = Object.values(moved.overview.counts).reduce((sum, n) => sum + n, 0)
        assert.strictEqual(total, before === undefined ? 2 : 1)
        if (before !== after) assert.strictEqual(moved.overview.counts[after], overview.counts[after] + 1)
      }
    }
    assert.strictEqual(overview.counts.queued, 1)
  })
})

describe("a board", () => {
  it("says whether its manager is heard, and returns true if that is news", () => {
    const board = new Board("there")
    assert.deepStrictEqual([board.lost(), board.heard(), board.head(now)], [false, false, "autostop at there"])
    board.take(overview, now)
    assert.strictEqual(board.head(now), "autostop 1.0.0 at there: ready; up for 0 s")
    assert.deepStrictEqual([board.lost(), board.lost()], [true, false])
    assert.include(board.head(now), "CONNECTION LOST")
    assert.deepStrictEqual([board.heard(), board.heard()], [true, false])
    board.take({ ...overview, ready: false }, now)
    assert.include(board.head(now), "NOT READY")
  })

  it("counts the jobs that change while its manager is heard", () => {
    const board = new Board("there")
    board.take(overview, now)
    board.take(
      { _tag: "Job", info: new JobInfo({ id: "a", job: "a", state: "running", priority: 0, submittedAt: at }) },
      now
    )
    assert.strictEqual(board.counts(), "0 stopping, 1 running, 0 starting, 1 queued, 0 stopped")
  })
})
