import { describe } from "@effect/vitest"
import { itReadsAnyFrames } from "./frames.cases.ts"

describe("frames between a caller and a host", () => itReadsAnyFrames(60_000))
