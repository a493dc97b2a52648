import { describe } from "@effect/vitest"
import { itReadsAnyBytes } from "./foreignBytes.cases.ts"
import { rounds } from "./support/rounds.ts"

describe("bytes of others", () => itReadsAnyBytes(rounds(100_000, 1_000_000)))
