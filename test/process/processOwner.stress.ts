import { describe } from "@effect/vitest"
import { rounds } from "../support/rounds.ts"
import { randomSignals } from "./randomSignals.ts"

describe("a signal", () => randomSignals(rounds(8, 50)))
