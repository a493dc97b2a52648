import { assert, describe, it } from "@effect/vitest"
import { stopLines } from "../../../src/cli/views/stopLines.ts"
import { passedText } from "../../../src/jobProcess/stopText.ts"
import type { StopTimeline, TimelineService } from "../../../src/jobProcess/stopTimeline.ts"

type Stop = Exclude<StopTimeline, { readonly _tag: "Running" }>

const service = (name: string, changes: Partial<TimelineService> = {}): TimelineService => ({
  name,
  state: "released",
  elapsedMs: 12,
  limitMs: 5_000,
  isOverdue: false,
  dependsOn: [],
  ...changes
})
const stop = (changes: Partial<Stop>): Stop => ({
  _tag: "Stopping",
  trigger: "stopped",
  mode: "drain",
  whole: { elapsedMs: 3_100, limitMs: 10_000 },
  phases: [],
  services: [],
  awaited: [],
  ...changes
})

describe("the lines of a stop", () => {
  it("say whom it waits for and what that holds up, then each phase and each service", () => {
    const lines = stopLines(stop({
      reason: "enough",
      awaited: [{ service: "Warehouse", elapsedMs: 2_600, limitMs: 5_000, holdsUp: ["Db", "Config"] }],
      phases: [
        { phase: "drain", state: "timed-out", elapsedMs: 504, limitMs: 500 },
        { phase: "release", state: "underway", elapsedMs: 2_600, limitMs: 8_500.25 }
      ],
      services: [
        service("Config", { state: "running", elapsedMs: 0 }),
        service("Cache"),
        service("Mail", { elapsedMs: 5_001, isOverdue: true, state: "releasing" }),
        service("Warehouse", { state: "releasing", elapsedMs: 2_600 })
      ]
    }))
    assert.deepStrictEqual(lines, [
      "Stopping (stopped, drain): enough; 3.1 of 10 s",
      "Waiting for Warehouse, 2.6 of 5 s; holds up Db, Config",
      "drain      ██████████!  timed-out           504 of 500 ms",
      "release    ███░░░░░░░   underway            2.6 of 8.5 s",
      "Config     ░░░░░░░░░░   running",
      "Cache      ░░░░░░░░░░   released            12 ms of 5 s",
      "Mail       ██████████!  releasing, overdue  5.0 of 5 s",
      "Warehouse  █████░░░░░   releasing           2.6 of 5 s"
    ])
  })

  it("name the overdue services, those under way and the slowest of many, and count the others", () => {
    const services = Array.from({ length: 100 }, (_, n) => service(`S${n}`, { elapsedMs: n }))
    services[3] = service("late", { isOverdue: true, state: "abandoned", elapsedMs: 1 })
    services[4] = service("now", { state: "releasing", elapsedMs: 1 })
    services[5] = service("later", { state: "running", elapsedMs: 0 })
    const lines = stopLines(stop({ services }))
    assert.lengthOf(lines, 1 + 20 + 1)
    assert.match(lines[1] ?? "", /^late /)
    assert.match(lines[2] ?? "", /^now /)
    assert.match(lines[3] ?? "", /^S82 /)
    assert.strictEqual(lines.at(-1), "and 80 more services: 79 released, 1 running")
    assert.lengthOf(stopLines(stop({ services }), 10), 10)
  })

  it("have no bar where there is no limit, and no more than three waits", () => {
    const awaited = ["a", "b", "c", "d", "e"].map((service) => ({ service, elapsedMs: 10, holdsUp: [] }))
    const phases = [{ phase: "kill", state: "underway", elapsedMs: 20 }] as const
    assert.deepStrictEqual(stopLines(stop({ awaited, phases, whole: { elapsedMs: 5 } })), [
      "Stopping (stopped, drain); 5 ms",
      "Waiting for a, 10 ms",
      "Waiting for b, 10 ms",
      "Waiting for c, 10 ms",
      "and for 2 more services",
      "kill    underway  20 ms"
    ])
  })

  it("show a time with its limit in the unit of that", () => {
    assert.strictEqual(passedText({ elapsedMs: 120, limitMs: 500 }), "120 of 500 ms")
    assert.strictEqual(passedText({ elapsedMs: 120, limitMs: 1_500 }), "120 ms of 1.5 s")
    assert.strictEqual(passedText({ elapsedMs: 1_120, limitMs: 500 }), "1.1 s of 500 ms")
    assert.strictEqual(passedText({ elapsedMs: 2_600, limitMs: 5_000 }), "2.6 of 5 s")
    assert.strictEqual(passedText({ elapsedMs: 999.7 }), "1.0 s")
  })
})
