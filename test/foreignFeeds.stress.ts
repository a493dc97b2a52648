import { describe } from "@effect/vitest"
import { itReadsAnyFeed } from "./foreignFeeds.cases.ts"
import { rounds } from "./support/rounds.ts"

describe("bytes of managers, uploads, logs and stores", () => itReadsAnyFeed(rounds(25_000, 250_000)))
