import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { rounds } from "../support/rounds.ts"
import { assertTreesEnd, manyFamilies, places, Trees } from "./families.ts"

manyFamilies(places)

describe("trees of processes that a job has left behind", () => {
  it.live.prop(
    "end with it, and each is named, wherever it runs",
    { place: Schema.Literals(places), trees: Trees },
    ({ place, trees }) => assertTreesEnd(place, trees),
    { arbitrary: { runs: rounds(30, 300) } }
  )
})
