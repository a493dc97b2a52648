import { describe } from "@effect/vitest"
import { itReadsAnyFrames } from "./frames.cases.ts"
import { rounds } from "../../support/rounds.ts"

describe("frames between a caller and a host", () => itReadsAnyFrames(rounds(6_000, 60_000)))
