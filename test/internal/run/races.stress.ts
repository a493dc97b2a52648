import { describe, it } from "@effect/vitest"
import { races } from "../../support/races.ts"
import { rounds } from "../../support/rounds.ts"

describe("starts and stops that race", () => {
  it.live("leave nothing behind", () => races(rounds(1_000, 20_000)))
})
