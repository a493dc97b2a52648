import { describe } from "@effect/vitest"
import { layerProperties } from "../../support/layerGraph.ts"
import { rounds } from "../../support/rounds.ts"

describe("the layers of a job", () => layerProperties(rounds(4_000, 100_000)))
