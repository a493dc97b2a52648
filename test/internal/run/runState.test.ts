import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema } from "effect"
import { RunLifecycle, type RunState, transitions } from "../../../src/internal/run/runState.ts"
import { StopMode, StopReport } from "../../../src/index.ts"

const result = {
  exit: Exit.void,
  report: StopReport.trusted({
    jobId: "1",
    job: "job",
    environment: "local",
    trigger: "completed",
    outcome: "succeeded",
    clean: true,
    startedAt: "",
    stoppedAt: "",
    phases: [],
    stages: [],
    services: [],
    leftovers: []
  })
}

const Step = Schema.Union([
  Schema.TaggedStruct("Run", {}),
  Schema.TaggedStruct("Stop", { mode: StopMode, fails: Schema.Boolean }),
  Schema.TaggedStruct("Escalate", { to: Schema.Literals(["cancel", "kill"]) }),
  Schema.TaggedStruct("Conclude", {})
])

const severity = { drain: 0, cancel: 1, kill: 2 }

/** The harshness that the latches tell. */
const told = ({ cancelling, killing, stopping }: RunLifecycle): number =>
  killing.isOpen ? 2 : cancelling.isOpen ? 1 : stopping.isOpen ? 0 : -1

describe("the state of a run", () => {
  it.effect.prop(
    "changes along its transitions, and its latches tell what it is",
    [Schema.Array(Step).check(Schema.isMaxLength(15))],
    ([steps]) =>
      Effect.sync(() => {
        const run = new RunLifecycle()
        let urgency = -1
        let first: RunState | undefined
        for (const step of steps) {
          const before = run.state
          const allowed: ReadonlyArray<RunState["_tag"]> = transitions[before._tag]
          switch (step._tag) {
            case "Run":
              run.run()
              break
            case "Stop": {
              const request = { trigger: "stopped", mode: step.mode } as const
              let begun: boolean | undefined
              const failure = step.fails ? { failure: Cause.die("broken") } : {}
              const isNews = run.stop(request, (isFirst) => {
                begun = isFirst
                // the state has changed by then, and nobody has been told
                assert.strictEqual(run.state._tag, "Stopping")
                if (isFirst) assert.isFalse(run.stopping.isOpen)
              }, failure)
              const isHarsher = before._tag !== "Stopping" || severity[step.mode] > severity[before.request.mode]
              assert.strictEqual(isNews, before._tag !== "Stopped" && isHarsher)
              assert.strictEqual(begun, isNews ? before._tag !== "Stopping" : undefined)
              if (before._tag !== "Stopped") urgency = Math.max(urgency, severity[step.mode])
              break
            }
            case "Escalate":
              run.escalate(step.to)
              if (before._tag === "Stopping") urgency = Math.max(urgency, severity[step.to])
              break
            case "Conclude":
              run.conclude(result)
              run.announce()
              break
          }
          const { state } = run
          if (state !== before) assert.include(allowed, state._tag, `${before._tag} to ${state._tag}`)
          if (state._tag === "Stopping") {
            first ??= state
            if (first._tag === "Stopping") assert.strictEqual(state.request.trigger, first.request.trigger)
            assert.strictEqual(severity[state.urgency], urgency)
          }
          assert.strictEqual(told(run), urgency)
          assert.strictEqual(run.stopped.isOpen, state._tag === "Stopped")
          assert.strictEqual(run.result, state._tag === "Stopped" ? result : undefined)
        }
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it("has the transitions that its table says", () =>
    assert.deepStrictEqual<unknown>(transitions, {
      Starting: ["Running", "Stopping"],
      Running: ["Stopping"],
      Stopping: ["Stopping", "Stopped"],
      Stopped: []
    }))

  it("keeps the first trigger, the harshest mode and the first failure", () => {
    const run = new RunLifecycle()
    run.stop({ trigger: "idle", mode: "drain", reason: "idle" }, () => {})
    run.stop({ trigger: "failed", mode: "cancel", reason: "broken" }, () => {}, { failure: Cause.die(1) })
    run.stop({ trigger: "failed", mode: "cancel" }, () => {}, { failure: Cause.die(2) })
    assert.deepInclude(run.state, { request: { trigger: "idle", mode: "cancel", reason: "idle" } })
    assert.deepStrictEqual(run.failure, Cause.die(1))
  })

  it("opens the harshest latch first, so that nobody sees a stop that is gentler than it is", () => {
    const run = new RunLifecycle()
    const opened: Array<string> = []
    run.stopping.onOpen(() => opened.push(`stopping ${run.cancelling.isOpen} ${run.killing.isOpen}`))
    run.cancelling.onOpen(() => opened.push(`cancelling ${run.killing.isOpen}`))
    run.killing.onOpen(() => opened.push("killing"))
    run.stop({ trigger: "stopped", mode: "kill" }, () => {})
    assert.deepStrictEqual(opened, ["killing", "cancelling true", "stopping true true"])
  })
})
