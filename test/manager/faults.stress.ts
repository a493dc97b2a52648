import { describe, it } from "@effect/vitest"
import { rounds } from "../support/rounds.ts"
import { killDuringSubmits } from "./killedManager.ts"

const count = rounds(500, 2_000)

describe("a job manager", () => {
  it(`has all that it has answered, each once, after it was killed in the middle of ${count} submits`, () =>
    killDuringSubmits({ count, killAfter: count / 4 }))
})
