import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { initial, type OwnerEvent, type OwnerState, type Transition, transition } from "../../src/process/ownerState.ts"
import { exitCode } from "../../src/process/exitCode.ts"
import { signalCode, signals } from "../../src/process/signals.ts"

const Signal = Schema.Literals(signals)
const Event = Schema.Union([
  Schema.TaggedStruct("Signalled", { signal: Signal }),
  Schema.TaggedStruct("Relayed", { signal: Signal }),
  Schema.TaggedStruct("ParentLost", { reason: Schema.Literal("its parent has ended") }),
  Schema.TaggedStruct("Crashed", { code: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) }),
  Schema.TaggedStruct("TaskStopped", { isClean: Schema.Boolean }),
  Schema.TaggedStruct("ProgramEnded", { code: Schema.Literals([0, 1, 2]) }),
  Schema.TaggedStruct("TimeUp", {})
])
const Events = Schema.Array(Event).check(Schema.isMaxLength(12))

interface Step extends Transition {
  readonly before: OwnerState
  readonly event: OwnerEvent
}

/** The steps of an owner to which all of that happens. */
const steps = (events: typeof Events.Type): ReadonlyArray<Step> => {
  let state = initial
  return events.map((given) => {
    const event: OwnerEvent = given._tag === "Crashed"
      ? { ...given, what: "it broke", error: new Error("it broke") }
      : given
    const before = state
    const step = transition(before, event)
    state = step.state
    return { before, event, ...step }
  })
}

/** All transitions to another state that there are. */
const transitions = new Set([
  "Running Signalled Stopping",
  "Running Relayed Stopping",
  "Running ParentLost Stopping",
  "Running Crashed Stopping",
  "Running ProgramEnded Exiting",
  "Stopping ProgramEnded Exiting",
  "Stopping Signalled Aborted",
  "Stopping TimeUp Aborted",
  "Exiting Signalled Aborted",
  "Exiting TimeUp Aborted"
])
const nameOf = ({ before, event, state }: Step) => `${before._tag} ${event._tag} ${state._tag}`
const changes = (all: ReadonlyArray<Step>) => all.filter(({ before, state }) => before._tag !== state._tag)

const codeOf = (state: OwnerState | undefined) => state?._tag === "Exiting" ? exitCode(state.ending) : undefined

const stopsOf = (all: ReadonlyArray<Step>) =>
  all.flatMap(({ actions }) => actions.flatMap((action) => action._tag === "Stop" ? [action.cause] : []))
const actionsOf = (all: ReadonlyArray<Step>) => all.flatMap(({ actions }) => actions.map(({ _tag }) => _tag))

/** All sequences of that many events, of which there is one of each kind. */
const sequences = (length: number): ReadonlyArray<ReadonlyArray<typeof Event.Type>> => {
  const kinds: ReadonlyArray<typeof Event.Type> = [
    { _tag: "Signalled", signal: "SIGTERM" },
    { _tag: "Relayed", signal: "SIGTERM" },
    { _tag: "ParentLost", reason: "its parent has ended" },
    { _tag: "Crashed", code: 1 },
    { _tag: "TaskStopped", isClean: false },
    { _tag: "ProgramEnded", code: 0 },
    { _tag: "TimeUp" }
  ]
  return length === 0 ? [[]] : sequences(length - 1).flatMap((events) => kinds.map((kind) => events.concat(kind)))
}

describe("the owner of a process", () => {
  it.effect.prop(
    "moves from state to state as its table says, and not otherwise",
    { events: Events },
    ({ events }) =>
      Effect.sync(() => {
        for (const name of changes(steps(events)).map(nameOf)) {
          assert.isTrue(transitions.has(name), name)
        }
      }),
    { arbitrary: { runs: 2_000 } }
  )

  it("makes each transition of its table", () => {
    const seen = new Set(sequences(4).flatMap((events) => changes(steps(events)).map(nameOf)))
    assert.deepStrictEqual(seen, transitions)
  })

  it.effect.prop(
    "exits once, and aborts at most once: after an abort nothing happens any longer",
    { events: Events },
    ({ events }) =>
      Effect.sync(() => {
        const all = steps(events)
        const exits = all.filter(({ actions }) => actions.some(({ _tag }) => _tag === "Exit"))
        assert.deepStrictEqual(exits.map(({ state }) => state._tag), exits.length === 0 ? [] : ["Exiting"])
        const aborted = all.findIndex(({ actions }) => actions.some(({ _tag }) => _tag === "Abort"))
        if (aborted >= 0) assert.deepStrictEqual(actionsOf(all.slice(aborted + 1)), [])
        assert.strictEqual(aborted >= 0, all.at(-1)?.state._tag === "Aborted")
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it.effect.prop(
    "stops its tasks at the first signal, and without waiting at the second one",
    { events: Events },
    ({ events }) =>
      Effect.sync(() => {
        const all = steps(events)
        const urgencies = stopsOf(all).flatMap((cause) => cause._tag === "Signal" ? [cause.isUrgent] : [])
        assert.deepStrictEqual(urgencies, [false, true].slice(0, urgencies.length))
        const aborted = all.findIndex(({ state }) => state._tag === "Aborted")
        const before = aborted < 0 ? all : all.slice(0, aborted)
        const signalled = before.filter(({ event }) => event._tag === "Signalled")
        assert.strictEqual(urgencies.length, Math.min(2, signalled.length))
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it.effect.prop(
    "limits a stop from its first cause on, and anew at each signal",
    { events: Events },
    ({ events }) =>
      Effect.sync(() => {
        for (const { actions, before, event } of steps(events)) {
          const limits = actions.flatMap((action) => action._tag === "Limit" ? [action.within] : [])
          const stop = actions.find((action) => action._tag === "Stop")
          if (stop === undefined) assert.deepStrictEqual(limits, [])
          else if (stop.cause._tag === "Signal") {
            assert.deepStrictEqual(limits, [stop.cause.isUrgent ? "grace" : "deadline"])
          } else assert.deepStrictEqual(limits, before._tag === "Running" ? ["deadline"] : [], event._tag)
        }
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it.effect.prop(
    "exits with the worst that it knows: unclean, then the first signal, then the first crash, then the program's own code",
    { events: Events },
    ({ events }) =>
      Effect.sync(() => {
        const all = steps(events)
        const end = all.findIndex(({ state }) => state._tag === "Exiting")
        if (end < 0) return
        const { event, state } = all[end] ?? assert.fail()
        const earlier = all.slice(0, end).map(({ event }) => event)
        const isUnclean = earlier.some((event) => event._tag === "TaskStopped" && !event.isClean)
        const signal = earlier.find((event) => event._tag === "Signalled")?.signal
        const crashes = earlier.flatMap((event) => event._tag === "Crashed" ? [event.code] : [])
        const crash = crashes.find((code) => code !== 0) ?? crashes[0]
        const own = event._tag === "ProgramEnded" ? event.code : undefined
        const expected = isUnclean ? 3 : signal !== undefined ? signalCode(signal) : crash ?? own
        assert.strictEqual(state._tag === "Exiting" ? exitCode(state.ending) : undefined, expected)
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it("passes a signal that another process answers on to no task, and exits with the program's own code", () => {
    const all = steps([
      { _tag: "Relayed", signal: "SIGTERM" },
      { _tag: "Relayed", signal: "SIGTERM" },
      { _tag: "Relayed", signal: "SIGTERM" },
      { _tag: "ProgramEnded", code: 1 }
    ])
    assert.deepStrictEqual(actionsOf(all), ["Exit"])
    assert.strictEqual(codeOf(all.at(-1)?.state), 1)
  })

  it("keeps its exit code once the program has ended, whatever comes then, unless it must give up waiting", () => {
    const all = steps([
      { _tag: "ProgramEnded", code: 0 },
      { _tag: "Signalled", signal: "SIGINT" },
      { _tag: "Crashed", code: 7 },
      { _tag: "ProgramEnded", code: 2 }
    ])
    assert.strictEqual(codeOf(all.at(-1)?.state), 0)
  })
})
