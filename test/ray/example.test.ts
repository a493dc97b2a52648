import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { Started } from "../support/cli.ts"
import { noJobs } from "./cluster.ts"

it.live("the example computes on actors, which are cleaned and killed", () =>
  Effect.gen(function*() {
    const example = new Started([fileURLToPath(new URL("../../examples/12-ray.ts", import.meta.url))])
    assert.strictEqual(yield* Effect.promise(() => example.ended()), 0, example.stderr)
    const lines = example.stdout.trim().split("\n")
    assert.match(lines[0] ?? "", /^Dallas-Fort Worth, TX to Atlanta, GA: 34\.4 minutes late \(14\.8 to 56\.4\)$/)
    assert.strictEqual(lines[3], "flights/Intervals: 10 calls, released")
    for (const line of lines.slice(4, -1)) {
      assert.match(
        line,
        /^flights\/Intervals\[\d+\]: \d+ calls, released, actor [0-9a-f]{32}, cleaned true, killed true$/
      )
    }
    assert.strictEqual(lines.at(-1), "clean")
    yield* noJobs("flights/Intervals")
  }))
