import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Scope } from "effect"
import { LayerGraph } from "../../../src/internal/layers/layerGraph.ts"
import { ServiceRecord } from "../../../src/internal/service/serviceRecord.ts"
import * as State from "../../../src/internal/service/serviceState.ts"

type Tag = State.ServiceState["_tag"]

const cleanup: State.Cleanup = Effect.runFork(Effect.never)

/** One state of each kind. */
const samples: Readonly<Record<Tag, State.ServiceState>> = {
  Starting: State.starting,
  Running: State.running(State.starting),
  Queued: State.queued(State.starting),
  Releasing: State.releasing(State.starting, 1, 5),
  Killing: State.killing(State.releasing(State.starting, 1, 5), cleanup),
  Overdue: State.overdue(State.releasing(State.starting, 1, 5), cleanup),
  Stopped: State.stopped(State.starting, "abandoned", 1, "uncalled")
}
const tags = Object.keys(samples) as ReadonlyArray<Tag>

const graph = new LayerGraph<ServiceRecord>({
  now: () => 0,
  adopt: () => record(),
  ended: () => undefined,
  release: () => Effect.void
})

const record = (): ServiceRecord =>
  new ServiceRecord(
    { host: "local", managed: true, releaseTimeout: undefined, startTimeout: undefined },
    "db",
    "db",
    graph.memoMap,
    Scope.makeUnsafe(),
    false,
    0
  )

const expected: Readonly<Record<Tag, ReadonlyArray<Tag>>> = {
  Starting: ["Running", "Queued", "Releasing", "Stopped"],
  Running: ["Queued", "Releasing", "Stopped"],
  Queued: ["Releasing", "Stopped"],
  Releasing: ["Releasing", "Killing", "Overdue", "Stopped"],
  Killing: ["Overdue", "Stopped"],
  Overdue: ["Stopped"],
  Stopped: []
}

describe("the state of a service", () => {
  it.effect.prop(
    "changes along its transitions, and no other change has an effect",
    [Schema.Array(Schema.Literals(tags)).check(Schema.isMaxLength(12))],
    ([steps]) =>
      Effect.sync(() => {
        const service = record()
        for (const to of steps) {
          const before = service.state
          const isAllowed = expected[before._tag].includes(to)
          assert.strictEqual(service.become(samples[to]), isAllowed, `${before._tag} to ${to}`)
          assert.strictEqual(service.state, isAllowed ? samples[to] : before)
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it("has the transitions that its table says", () => assert.deepStrictEqual<unknown>(State.transitions, expected))

  it("never changes once it has stopped", () => {
    const service = record()
    service.become(State.stopped(State.starting, "start-failed", 1, "completed"))
    const final = service.state
    for (const to of tags) assert.isFalse(service.become(samples[to]))
    assert.strictEqual(service.state, final)
  })

  it("remembers to the end whether the service ran", () => {
    for (const from of [State.starting, State.running(State.starting)] as const) {
      const releasing = State.releasing(State.queued(from), 1, 5)
      for (const state of [releasing, State.killing(releasing, cleanup), State.overdue(releasing, cleanup)]) {
        assert.strictEqual(State.wasRunning(state), from._tag === "Running")
        assert.strictEqual(
          State.wasRunning(State.stopped(state, "released", 1, "completed")),
          from._tag === "Running"
        )
      }
    }
  })

  it("says that a service runs until its cleanup has ended", () => {
    const ended = Effect.runFork(Effect.void)
    const running = (state: State.ServiceState, ...path: ReadonlyArray<State.ServiceState>) => {
      const service = record()
      service.node.build = "Success"
      for (const step of [...path, state]) assert.isTrue(service.become(step), step._tag)
      return service.isRunning
    }
    const releasing = State.releasing(State.starting, 1, 5)
    assert.isTrue(running(samples.Running))
    assert.isTrue(running(samples.Queued))
    assert.isTrue(running(State.awaitingCleanup(releasing, cleanup)))
    assert.isTrue(running(State.overdue(releasing, cleanup), releasing))
    assert.isFalse(running(State.overdue(releasing, ended), releasing))
    assert.isTrue(running(State.stopped(releasing, "abandoned", 1, cleanup)))
    assert.isFalse(running(State.stopped(releasing, "released", 1, "completed")))
    Effect.runFork(Fiber.interrupt(ended))
  })

  it.effect("lets those go on that wait for a release once it is settled, and not before", () =>
    Effect.gen(function*() {
      const service = record()
      const waiting = yield* Effect.forkChild(service.awaitSettled())
      yield* Effect.yieldNow
      const releasing = State.releasing(State.running(State.starting), 1, 5)
      service.become(State.running(State.starting))
      service.become(releasing)
      service.wakeDependencies()
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      service.become(State.overdue(releasing, cleanup))
      service.wakeDependencies()
      yield* Fiber.join(waiting)
      yield* service.awaitSettled()
    }))
})
