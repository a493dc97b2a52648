import { hostileNames } from "../support/hostile.ts"
import { rounds } from "../support/rounds.ts"
import { acts, hostileRuns } from "./hostileValues.cases.ts"

/** A result that is undefined is none, and nothing is shown of it. */
const isShown = (act: string, kind: string) => act !== "return" || kind !== "undefined"

const cases = hostileNames.flatMap((kind, place) =>
  acts.map((_, act) => [acts[(act + place) % acts.length] ?? "throw", kind] as const).filter((one) => isShown(...one))
)
// one in 24: a third of the values, and each act
const step = rounds(24, 1)

hostileRuns(cases.filter((_, place) => place % step === 0))
