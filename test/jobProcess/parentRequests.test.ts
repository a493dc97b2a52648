import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { ask, type Asked, isUrgent, nothing } from "../../src/jobProcess/parentRequests.ts"
import type { StopRequest } from "../../src/jobProcess/protocol.ts"

const kinds = ["Stop", "StopAtOnce", "Exit"] as const
type Kind = (typeof kinds)[number]
const Kinds = Schema.Array(Schema.Literals(kinds)).check(Schema.isMaxLength(10))

const next = (asked: Asked, kind: Kind, now: number): Asked => {
  const request: StopRequest = { trigger: "stopped", mode: kind === "Stop" ? "drain" : "kill", reason: `${now}` }
  return ask(asked, request, now, kind === "Exit")
}
const after = (kinds: ReadonlyArray<Kind>): Asked =>
  kinds.reduce<Asked>((asked, kind, now) => next(asked, kind, now), nothing)

/** All transitions to another state that there are. */
const transitions = new Set([
  "Nothing Stop Stop",
  "Nothing StopAtOnce StopAtOnce",
  "Nothing Exit Exit",
  "Stop StopAtOnce StopAtOnce",
  "Stop Exit Exit",
  "StopAtOnce Exit Exit"
])

describe("the requests of the parent of a job process", () => {
  it("make each transition of their table, and no other", () => {
    const states = [nothing, ...kinds.map((kind) => after([kind]))]
    const seen = states.flatMap((before) =>
      kinds.flatMap((kind) => {
        const { _tag } = next(before, kind, 9)
        return _tag === before._tag ? [] : [`${before._tag} ${kind} ${_tag}`]
      })
    )
    assert.deepStrictEqual(new Set(seen), transitions)
  })

  it.prop(
    "keep the first request, and the time of the first of each kind or a harsher one",
    { asks: Kinds },
    ({ asks }) => {
      const asked = after(asks)
      const firstOf = (...of: ReadonlyArray<Kind>) => asks.findIndex((kind) => of.includes(kind))
      if (asked._tag === "Nothing") return assert.isEmpty(asks)
      assert.deepStrictEqual([asked.stopAt, asked.request.reason], [0, "0"])
      assert.strictEqual(isUrgent(asked), firstOf("StopAtOnce", "Exit") >= 0)
      if (asked._tag !== "Stop") assert.strictEqual(asked.killAt, firstOf("StopAtOnce", "Exit"))
      if (asked._tag === "Exit") assert.strictEqual(asked.exitAt, firstOf("Exit"))
    }
  )
})
