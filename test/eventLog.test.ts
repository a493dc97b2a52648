import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { EventLog } from "../src/internal/eventLog.ts"
import { Environment, type JobEvent, LocalEnvironment, Service } from "../src/index.ts"
import { Journal, probe } from "../src/testing.ts"
import { jobOf } from "./support/jobs.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const at = "2026-01-01T00:00:00.000Z"

/** A service comes and goes so many times, well or not. */
const Round = Schema.Struct({
  service: Schema.Literals(["a", "b", "c"]),
  times: between(1, 700),
  well: Schema.Boolean,
  /** Whether somebody begins to read before it. */
  reader: Schema.Boolean
})

const lifeOf = (service: string, well: boolean): ReadonlyArray<JobEvent> => [
  { _tag: "ServiceStarting", at, service },
  { _tag: "ServiceStarted", at, service, startMs: 0 },
  { _tag: "ServiceReleasing", at, service },
  { _tag: "ServiceStopped", at, service, outcome: well ? "released" : "release-failed", releaseMs: 0 }
]

/** A log, and beside it all that it was told, of which the last good life of each service is not forgotten. */
class Model {
  readonly log = new EventLog()
  readonly all: Array<JobEvent> = []
  readonly kept = new Set<JobEvent>()
  readonly #last = new Map<string, ReadonlyArray<JobEvent>>()

  emit(event: JobEvent): void {
    this.all.push(event)
    this.kept.add(event)
    this.log.emit(event)
  }

  live(service: string, well: boolean): void {
    const life = lifeOf(service, well)
    for (const event of life) this.emit(event)
    if (!well) return
    const before = this.#last.get(service)
    this.#last.set(service, life)
    if (before === undefined) return
    for (const event of before) this.kept.delete(event)
    this.log.forget(service)
  }
}

describe("the events of a job", () => {
  it.effect.prop(
    "reach whoever reads them all in order, and whoever comes later less what is forgotten",
    { rounds: Schema.Array(Round).check(Schema.isMaxLength(12)) },
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
        for (const { reader, service, times, well } of rounds) {
          if (reader) readers.push(yield* begin)
          for (let n = 0; n < times; n++) model.live(service, well)
          // the first keeps up, the others do not
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
          assert.isAtMost(before.length, Math.max(kept.length + 1_024, 2 * kept.length))
        }
      }))
  )

  it.live("are no more of a service that run provides a thousand times than of a few", () =>
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
