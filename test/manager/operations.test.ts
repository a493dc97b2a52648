import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { operate, Operation } from "./operations.ts"

describe("a job manager", () => {
  it.effect.prop(
    "loses nothing and does nothing twice, whatever is asked of it and whatever happens to its store",
    { operations: Schema.Array(Operation).check(Schema.isMinLength(10), Schema.isMaxLength(60)) },
    ({ operations }) => operate(operations),
    { timeout: 120_000, arbitrary: { runs: 20 } }
  )
})
