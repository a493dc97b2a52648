import { assert, describe, it } from "@effect/vitest"
import { inFlowOrder, stageRows, upstreamPlaces } from "../../src/base/stageGraph.ts"

const stage = (name: string, ...upstream: ReadonlyArray<string>) => ({ name, kind: "stage", upstream })

const namesOf = (stages: ReadonlyArray<{ readonly name: string }>) => stages.map(({ name }) => name).join(" ")

describe("the order of stages", () => {
  it("puts each stage behind those that it takes from, and keeps the order otherwise", () => {
    const stages = [stage("all", "left", "right"), stage("left", "a"), stage("other"), stage("a"), stage("right", "a")]
    assert.strictEqual(namesOf(inFlowOrder(stages)), "a left right all other")
  })

  it("has each stage of a loop once", () => {
    const stages = [stage("a", "c"), stage("b", "a"), stage("c", "b"), stage("self", "self")]
    assert.strictEqual(namesOf(inFlowOrder(stages)), "b c a self")
  })

  it("has room for a chain of many stages", () => {
    const many = Array.from({ length: 100_000 }, (_, i) => stage(`${i}`, `${i + 1}`))
    assert.strictEqual(inFlowOrder(many)[0]?.name, "99999")
  })

  it("tells stages of one name apart by their kinds, and leaves out names that there are not", () => {
    const stages = [
      { name: "rows", kind: "source" },
      { name: "rows", kind: "stage", upstream: ["source rows"] },
      { name: "all", kind: "stage", upstream: ["stage rows", "rows", "gone"] }
    ]
    assert.deepStrictEqual(upstreamPlaces(stages), [[], [0], [1]])
  })

  it("says what a stage takes from unless that is the row before", () => {
    const stages = [stage("a"), stage("b", "a"), stage("c", "a"), stage("d", "b", "c")]
    assert.deepStrictEqual(stageRows(stages).map(({ from, stage }) => `${stage.name} ${from}`), [
      "a ",
      "b ",
      "c from a",
      "d from b, c"
    ])
  })
})
