import { describe, it } from "@effect/vitest"
import { needsNoMoreMemory, operators, overflowsNoStack } from "../support/pipeline.ts"
import { rounds } from "../support/rounds.ts"

const count = rounds(300_000, 10_000_000)

for (const [name, operator] of operators) {
  describe(`${name}, as every parallel operator`, () => {
    it.effect(`overflows no stack with ${count} elements, in one chunk and in chunks of 1`, () =>
      overflowsNoStack(operator, count))

    it.effect(`needs no more memory for ${count} elements than for a tenth of them`, () =>
      needsNoMoreMemory(operator, count))
  })
}
