import { assert, describe, it } from "@effect/vitest"
import { isFree, isLinkedWithin, isWithin, markVariable, newMark, ownersWithin } from "../../src/process/ownerMark.ts"

const within = (mark: string) => ({ [markVariable]: mark })

describe("the mark of an owner", () => {
  it("differs each time, and begins with that of the owner around it", () => {
    const outer = newMark({}, { pid: 1 })
    const inner = newMark(within(outer), { pid: 2 })
    assert.notStrictEqual(newMark({}, { pid: 1 }), outer)
    assert.isTrue(isWithin(inner, outer) && isWithin(outer, outer))
    assert.isFalse(isWithin(outer, inner))
    assert.isFalse(isWithin(`${outer}0`, outer))
    assert.deepStrictEqual(ownersWithin(inner, outer), [2])
    assert.deepStrictEqual(ownersWithin(outer, outer), [])
  })

  it("begins anew in a process that is to outlive its owner, and where there is none", () => {
    for (const mark of ["none", ""]) assert.notInclude(newMark(within(mark), "thread"), "/")
    assert.isTrue(isFree("none"))
    for (const mark of [undefined, "", newMark({}, "thread")]) assert.isFalse(isFree(mark))
  })

  it("says what ends by itself with its owner", () => {
    const outer = newMark({}, "linked")
    const inner = newMark(within(newMark(within(outer), { pid: 3 })), "linked")
    assert.isTrue(isLinkedWithin(inner, outer))
    assert.isTrue(isLinkedWithin(newMark(within(inner), "thread"), outer))
    assert.isFalse(isLinkedWithin(newMark(within(outer), "thread"), outer))
    assert.isFalse(isLinkedWithin(outer, inner))
  })
})
