import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { Started } from "../../support/cli.ts"
import { rounds } from "../../support/rounds.ts"

const program = fileURLToPath(new URL("./startAndEnd.main.ts", import.meta.url))
const many = rounds(40, 1_000)

describe("threads that are ended while they load, run or exit", () => {
  it(`do not take their process down in ${many} rounds`, async () => {
    const run = new Started([program, String(many), "4"])
    assert.strictEqual(await run.ended(), 0, run.stderr)
    assert.include(run.stdout, `${many} rounds`)
  })
})
