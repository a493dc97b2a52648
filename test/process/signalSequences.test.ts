import { describe, it } from "@effect/vitest"
import { assertCounted } from "./signalSequences.ts"

// random ones run under stress
describe.concurrent("signals that a program and its wrapper get", () => {
  it.live("within 500 ms are one request, whichever they are", () =>
    assertCounted("timeout", [{ signal: "SIGINT", gapMs: 0 }, { signal: "SIGTERM", gapMs: 130 }, {
      signal: "SIGHUP",
      gapMs: 220
    }]))

  it.live("and those that come later are the next one", () =>
    assertCounted("bare", [{ signal: "SIGUSR2", gapMs: 0 }, { signal: "SIGQUIT", gapMs: 30 }, {
      signal: "SIGINT",
      gapMs: 600
    }]))
})
