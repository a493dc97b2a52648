import { describe } from "@effect/vitest"
import { rounds } from "../../support/rounds.ts"
import { stopProperties } from "../../support/stopModel.ts"

describe("a stop of any services, with any commands", () => stopProperties(rounds(4_000, 100_000)))
