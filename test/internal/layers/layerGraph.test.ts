import { describe } from "@effect/vitest"
import { layerProperties } from "../../support/layerGraph.ts"

describe("the layers of a job", () => layerProperties(400))
