import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { EventLog } from "../../../src/internal/run/eventLog.ts"
import { Environment, type JobEvent, LocalEnvironment, Service } from "../../../src/index.ts"
import { Journal, probe } from "../../../src/testing.ts"
import { jobOf } from "../../support/jobs.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const at = "2026-01-01T00:00:00.000Z"

/** A service starts and stops so many times, well or not. */
const Round = Schema.Struct({
  service: Schema.Literals(["a", "b", "c"]),
  times: between(1, 600),
  well: Schema.Boolean,
  /** Whether it lives in a host, with a service within it. */
  hosted: Schema.Boolean,
  /** Whether events of another service come in between. */
  among: Schema.Boolean,
  /** Whether a reader begins before it. */
  reader: Schema.Boolean
})

const starting = (service: string): ReadonlyArray<JobEvent> => [
  { _tag: "ServiceStarting", at, service },
  { _tag: "ServiceStarted", at, service, startMs: 0 },
  { _tag: "ServiceReleasing", at, service }
]

const stoppedOf = (service: string, well: boolean) =>
  ({ _tag: "ServiceStopped", at, service, outcome: well ? "released" : "release-failed", releaseMs: 0 }) as const

/** The life of a service, up to its last event. */
const lifeOf = (service: string, hosted: boolean): ReadonlyArray<JobEvent> => {
  const events = [...starting(service)]
  if (!hosted) return events
  for (const [replica, place] of ["", "[1]", "[2]"].entries()) {
    const inner = `${service}${place}/inner`
    events.push({ _tag: "HostStarted", at, service, replica }, ...starting(inner), stoppedOf(inner, true))
  }
  return events
}

interface Life {
  readonly events: ReadonlyArray<JobEvent>
  readonly stopped: ReturnType<typeof stoppedOf>
}

/** A log, and beside it all of its events; the log keeps the last good life of each service. */
class Model {
  readonly log = new EventLog()
  readonly all: Array<JobEvent> = []
  readonly kept = new Set<JobEvent>()
  readonly #last = new Map<string, Life>()

  emit(event: JobEvent, owner?: string): void {
    this.all.push(event)
    this.kept.add(event)
    this.log.emit(event, owner)
  }

  live({ among, hosted, service, well }: typeof Round.Type): void {
    const stopped = stoppedOf(service, well)
    const events = [...lifeOf(service, hosted), stopped]
    for (const event of events) {
      this.emit(event, "service" in event && event.service !== service ? service : undefined)
      if (among) this.emit({ _tag: "ServiceStarting", at, service: `${service}/another` })
    }
    if (!well) return
    const before = this.#last.get(service)
    this.#last.set(service, { events, stopped })
    if (before === undefined) return
    for (const event of before.events) this.kept.delete(event)
    this.log.forget(before.stopped)
  }
}

describe("the events of a job", () => {
  it.effect.prop(
    "reach every reader in order, and a later reader without those that are forgotten",
    { rounds: Schema.Array(Round).check(Schema.isMaxLength(8)) },
    ({ rounds }) =>
      Effect.scoped(Effect.gen(function*() {
        const model = new Model()
        model.emit({ _tag: "RunStarted", at })
        const begin = Effect.gen(function*() {
          const pull = yield* Stream.toPull(model.log.stream)
          const [from, kept] = [model.all.length, [...model.kept]]
          return { pull, from, kept, got: [...yield* pull] }
        })
        const readers = [yield* begin]
        for (const round of rounds) {
          if (round.reader) readers.push(yield* begin)
          for (let n = 0; n < round.times; n++) model.live(round)
          // The first reader keeps up, the others do not.
          readers[0]?.got.push(...yield* readers[0].pull)
        }
        model.log.close()
        for (const { from, got, kept, pull } of readers) {
          yield* Effect.forever(Effect.map(pull, (events) => got.push(...events))).pipe(Effect.catch(() => Effect.void))
          const [before, since] = Arr.splitAt(got, got.length - (model.all.length - from))
          assert.isTrue(since.every((event, n) => event === model.all[from + n]), "what came since is not all there")
          const had = new Set(before)
          assert.deepStrictEqual(before, model.all.slice(0, from).filter((event) => had.has(event)))
          assert.isTrue(kept.every((event) => had.has(event)), "something was forgotten that should not be")
          // The log may keep 256 lives of 19 events each.
          assert.isAtMost(before.length, 2 * kept.length + 257 * 20)
        }
      }))
  )

  it.live("are bounded for a service that run provides a thousand times", () =>
    Effect.gen(function*() {
      const layer = probe(new Journal(), "each")
      const provide = Effect.provide(Effect.void, layer)
      const run = Effect.forEach(Array.from({ length: 1_000 }), () => provide, { discard: true })
      const job = yield* Environment.submit(jobOf(run, Service.manage("own", probe(new Journal(), "within"))), {})
      yield* job.result
      const events = yield* Stream.runCollect(job.events)
      const count = (service: string) =>
        events.filter((event) => "service" in event && event.service === service).length
      assert.isAtLeast(count("each"), 4)
      assert.isAtMost(count("each"), 1_100)
      assert.deepStrictEqual([count("own"), count("within")], [4, 4])
      assert.deepStrictEqual([events[0]?._tag, events.at(-1)?._tag], ["JobSubmitted", "JobStopped"])
    }).pipe(Effect.provide(LocalEnvironment.layer)))
})
