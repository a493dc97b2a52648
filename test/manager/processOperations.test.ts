import { describe, it } from "@effect/vitest"
import { operateOnProcesses } from "./processOperations.ts"

describe("a job manager", () => {
  // each start of a manager takes seconds of a busy machine
  it(
    "loses nothing and does nothing twice, although it, its jobs and its clients are killed",
    () => operateOnProcesses(25),
    300_000
  )
})
