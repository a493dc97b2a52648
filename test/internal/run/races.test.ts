import { describe, it } from "@effect/vitest"
import { races } from "../../support/races.ts"

describe("starts and stops that race", () => {
  it.live("leave nothing behind", () => races(200))
})
