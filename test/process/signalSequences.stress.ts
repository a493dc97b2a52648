import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { rounds } from "../support/rounds.ts"
import { assertCounted, Sequence, type Way, ways } from "./signalSequences.ts"

const Ways = Schema.Literals(Object.keys(ways) as ReadonlyArray<Way>) // the table has exactly these keys

describe("two or three signals, up to 600 ms apart,", () => {
  it.live.prop(
    "are counted as a person would, bare and under wrappers that pass them on as well",
    { way: Ways, sequence: Sequence },
    ({ sequence, way }) => assertCounted(way, sequence),
    { arbitrary: { runs: rounds(8, 200) } }
  )
})
