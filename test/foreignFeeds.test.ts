import { describe } from "@effect/vitest"
import { itReadsAnyFeed } from "./foreignFeeds.cases.ts"

describe("bytes of managers, uploads, logs and stores", () => itReadsAnyFeed(5_000))
