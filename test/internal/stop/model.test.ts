import { describe } from "@effect/vitest"
import { stopProperties } from "../../support/stopModel.ts"

describe("a stop of any services, with any commands", () => stopProperties(400))
