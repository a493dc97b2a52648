import { describe, it } from "@effect/vitest"
import { rounds } from "../support/rounds.ts"
import { operateOnProcesses } from "./processOperations.ts"

describe("a job manager", () => {
  for (let sequence = 1; sequence <= rounds(3, 40); sequence++) {
    it(
      `loses nothing and does nothing twice, although it, its jobs and its clients are killed (${sequence})`,
      () => operateOnProcesses(50),
      600_000
    )
  }
})
