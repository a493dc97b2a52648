import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

interface State {
  readonly _tag: string
}

/** A state machine as its table says: for each state, the transitions that change it, and the states that they lead to. */
export interface Machine<S extends State, N extends string> {
  readonly initial: S
  readonly transitions: { readonly [K in N]: (state: S) => S }
  readonly table: { readonly [Tag in S["_tag"]]: { readonly [K in N]?: S["_tag"] } }
}

export const namesOf = <S extends State, N extends string>({ transitions }: Machine<S, N>): ReadonlyArray<N> =>
  Object.keys(transitions) as Array<string> as Array<N> // safe: `transitions` has exactly these keys

/** Random sequences of transitions, for properties. */
export const sequencesOf = <S extends State, N extends string>(machine: Machine<S, N>) => ({
  sequence: Schema.Array(Schema.Literals(namesOf(machine))).check(Schema.isMaxLength(20))
})

/** Makes the transitions one after the other, and passes each step to a check. Returns the last state. */
export const walk = <S extends State, N extends string>(
  { initial, transitions }: Machine<S, N>,
  sequence: ReadonlyArray<N>,
  check: (before: S, next: S, name: N) => void = () => {}
): S =>
  sequence.reduce((before, name) => {
    const next = transitions[name](before)
    check(before, next, name)
    return next
  }, initial)

/** Tests that a machine reaches every state of its table, makes every transition of it, and no other. */
export const itFollowsItsTable = <S extends State, N extends string>(machine: Machine<S, N>): void => {
  const { initial, table, transitions } = machine
  const names = namesOf(machine)
  const checkStep = (before: S, next: S, name: N) => {
    const to = table[before._tag as S["_tag"]][name]
    if (to === undefined) assert.strictEqual(next, before, `${name} changes ${before._tag}`)
    else assert.strictEqual(next._tag, to, `${name} from ${before._tag}`)
  }

  it("becomes each state of its table, by each transition there", () => {
    const seen = new Map<string, S>([[initial._tag, initial]])
    for (const state of seen.values()) {
      for (const name of names) {
        const next = transitions[name](state)
        checkStep(state, next, name)
        if (!seen.has(next._tag)) seen.set(next._tag, next)
      }
    }
    assert.sameMembers([...seen.keys()], Object.keys(table))
  })

  it.effect.prop(
    "changes by no transition that is not in its table",
    sequencesOf(machine),
    ({ sequence }) => Effect.sync(() => walk(machine, sequence, checkStep)),
    { arbitrary: { runs: 500 } }
  )
}
