import { describe } from "@effect/vitest"
import { itReadsAnyBytes } from "./foreignBytes.cases.ts"

describe("bytes of others", () => itReadsAnyBytes(20_000))
