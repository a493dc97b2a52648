import { describe, it } from "@effect/vitest"
import { rounds } from "../../support/rounds.ts"
import { runAtOnce } from "./crowd.ts"
import { killAtRandom } from "./orphan.ts"

describe("a job process", () => {
  it("does not mix with many others that run at the same time", () => runAtOnce(rounds(20, 60)))

  it("leaves no process if its manager is killed, at many random moments", () => killAtRandom(rounds(10, 100)))
})
