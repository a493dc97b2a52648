import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { operate, Operation } from "./operations.ts"

describe("a job manager", () => {
  it.effect.prop(
    "loses nothing and does nothing twice in a hundred thousand operations",
    { operations: Schema.Array(Operation).check(Schema.isMinLength(50), Schema.isMaxLength(150)) },
    ({ operations }) => operate(operations),
    { timeout: 1_800_000, arbitrary: { runs: 1_000 } }
  )
})
