import { hostileNames } from "../support/hostile.ts"
import { rounds } from "../support/rounds.ts"
import { acts, hostileRuns } from "./hostileValues.cases.ts"

/** A result that is undefined is none, and nothing is shown of it. */
const isShown = (act: string, kind: string) => act !== "return" || kind !== "undefined"

const actsOfEach = rounds(1, acts.length)

hostileRuns(hostileNames.flatMap((kind, place) =>
  acts
    .filter((_, act) => (act + place) % acts.length < actsOfEach)
    .filter((act) => isShown(act, kind))
    .map((act) => [act, kind] as const)
))
