import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertReplaced, assertReported, assertStopped, type Case, crash, nameOf } from "./crashes.ts"
import { moments } from "./services/crash.ts"

/** Runs the cases in one process, and checks each. */
const all = (
  host: Parameters<typeof crash>[0],
  cases: ReadonlyArray<Case>,
  check: (one: Case, outcome: Parameters<typeof assertReplaced>[1]) => void,
  restarts?: boolean
) =>
  Effect.map(crash(host, cases, restarts), (outcomes) => {
    for (const one of cases) {
      const outcome = outcomes.get(nameOf(one))
      if (outcome !== undefined) check(one, outcome)
    }
  })

describe("a host that crashes", () => {
  it.live("releases what it can, in a thread, at any moment", () =>
    all(
      "thread",
      [...moments.map((moment) => ({ event: "exception", moment }) as const), { event: "exit", moment: "release" }],
      (one, outcome) => assertReported("thread", one, outcome)
    ))

  it.live("releases what it can, in a process, whatever happens", () =>
    all(
      "process",
      [{ event: "overflow", moment: "load" }, { event: "exit", moment: "call" }, {
        event: "rejection",
        moment: "release"
      }, { event: "exit", moment: "release" }],
      (one, outcome) => assertReported("process", one, outcome)
    ))

  it.live("is not clean if a thread that was replaced had no memory left for its releases", () =>
    all("thread", [{ event: "memory", moment: "call" }, { event: "exit", moment: "call" }], assertReplaced, true))

  for (const one of [{ event: "timer", moment: "call" }, { event: "exit", moment: "release" }] as const) {
    it.live(`stops its job in process (${nameOf(one)})`, () => all("local", [one], assertStopped))
  }
})
