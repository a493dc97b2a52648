import { describe, it } from "@effect/vitest"
import { operateOnProcesses } from "./processOperations.ts"

describe("a job manager", () => {
  it("loses nothing and does nothing twice, although it, its jobs and its clients are killed", () =>
    operateOnProcesses(30))
})
