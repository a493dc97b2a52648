import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Environment, Job, LocalEnvironment } from "../../src/index.ts"
import { type Entry, Journal, probeName, probes, type ServicePlan } from "../../src/testing.ts"

const random = (below: number): number => Math.floor(Math.random() * below)

/** Services that need some turns, or some milliseconds, to start and to stop. */
const plan = (): ServicePlan => ({
  needs: Array.from({ length: random(3) }, () => random(12)),
  managed: random(2) === 0,
  acquire: { ms: random(4), ends: random(12) === 0 ? "die" : "well" },
  release: { ms: random(4), ends: random(12) === 0 ? "die" : "well" }
})

const turns = Effect.suspend(() =>
  Effect.forEach(Array.from({ length: random(30) }), () => random(4) === 0 ? Effect.sleep(1) : Effect.yieldNow, {
    discard: true
  })
)

/** One job, stopped at a random moment in a random way, perhaps twice. */
const race = Effect.gen(function*() {
  const journal = new Journal()
  const plans = Array.from({ length: 1 + random(6) }, plan)
  const job = Job.make("race", { services: probes(journal, plans), run: () => Effect.sleep(random(10)) })
  const caller = yield* Effect.forkChild(
    Effect.gen(function*() {
      const run = yield* Environment.submit(job, {})
      yield* Effect.forkDetach(Effect.gen(function*() {
        for (let i = random(3); i > 0; i--) {
          yield* turns
          yield* run.stop({ mode: (["drain", "cancel", "kill"] as const)[random(3)] })
        }
      }))
      return yield* run.result
    }),
    { startImmediately: true }
  )
  if (random(3) === 0) {
    yield* turns
    yield* Fiber.interrupt(caller)
  }
  const exit = yield* Fiber.await(caller)
  const count = (service: string, ...whats: ReadonlyArray<Entry["what"]>) =>
    journal.entries.filter((entry) => entry.service === service && whats.includes(entry.what)).length
  const ended = (name: string) => count(name, "released") + (journal.has(name, "releasing") ? count(name, "died") : 0)
  const unbalanced = () => [...plans.keys()].map(probeName).filter((name) => ended(name) !== count(name, "acquired"))
  // what a kill abandoned, or what nobody waited for, ends by itself: these services do not hang
  yield* Effect.sleep(5).pipe(
    Effect.repeat({ while: () => unbalanced().length > 0 }),
    Effect.timeoutOrElse({
      duration: "30 seconds",
      orElse: () => Effect.sync(() => assert.fail(`never released: ${unbalanced()} ${JSON.stringify(journal.entries)}`))
    })
  )
  if (exit._tag === "Failure") return
  const { report } = exit.value
  // a plain layer is a service only once it has something to release, and has a name only once it provides something
  const names = new Set(report.services.map(({ name }) => name).filter((name) => journal.has(name, "acquiring")))
  const begun = journal.entries.filter(({ service }) =>
    names.has(service) || plans.some(({ managed }, place) => managed && probeName(place) === service)
  )
  assert.deepStrictEqual(names, new Set(begun.map((entry) => entry.service)))
})

/** So many of them, 25 at a time. */
export const races = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => race, { concurrency: 25, discard: true }).pipe(
    Effect.provide(LocalEnvironment.layer)
  )
