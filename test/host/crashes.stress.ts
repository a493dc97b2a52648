import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { remotes } from "../support/hosts.ts"
import { rounds } from "../support/rounds.ts"
import { assertReplaced, assertReported, assertStopped, type Case, crash, nameOf } from "./crashes.ts"
import { events, moments } from "./services/crash.ts"

/** All of them, or a fourth, with each event and each moment among them. */
const step = rounds(4, 1)
const cases: ReadonlyArray<Case> = events.flatMap((event, row) =>
  moments.filter((_, column) => (row + column) % step === 0).map((moment): Case => ({ event, moment }))
)

/** Runs a check for each case on its own, as a test: the case that fails is named. */
const each = (check: (one: Case) => Effect.Effect<void>, of = cases) =>
  it.live.each(of.map((one): [string, Case] => [nameOf(one), one]))("%s", ([, one]) => check(one))

const only = (host: Parameters<typeof crash>[0], one: Case, restarts?: boolean) =>
  Effect.map(crash(host, [one], restarts), (outcomes) => {
    const outcome = outcomes.get(nameOf(one))
    if (outcome === undefined) throw new Error(`nothing is known of ${nameOf(one)}`)
    return outcome
  })

describe.each(remotes)("a %s that crashes releases what it can and reports the rest:", (host) => {
  each((one) => Effect.map(only(host, one), (outcome) => assertReported(host, one, outcome)))
})

describe.each(remotes)("a %s that crashes and is replaced is not forgotten:", (host) => {
  each(
    (one) => Effect.map(only(host, one, true), (outcome) => assertReplaced(one, outcome)),
    cases.filter(({ moment }) => moment === "idle" || moment === "call")
  )
})

describe("a service in process that crashes stops its job:", () => {
  each((one) => Effect.map(only("local", one), (outcome) => assertStopped(one, outcome)))
})
