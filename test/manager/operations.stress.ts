import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { rounds } from "../support/rounds.ts"
import { operate, Operation } from "./operations.ts"

const many = rounds(60, 1_000)

describe("a job manager", () => {
  it.effect.prop(
    `loses nothing and does nothing twice in some ${many * 100} operations`,
    { operations: Schema.Array(Operation).check(Schema.isMinLength(50), Schema.isMaxLength(150)) },
    ({ operations }) => operate(operations),
    { timeout: 1_800_000, arbitrary: { runs: many } }
  )
})
