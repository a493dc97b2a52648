// Layers of Effect's own packages, started and stopped as they are: each has its lines in the report, leaves nothing behind,
// and is released or bounded though one above it or beneath it hangs.
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { setImmediate } from "node:timers/promises"
import { afterAll, beforeAll } from "vitest"
import { programLimits } from "../../src/internal/policy/programLimits.ts"
import type { ServiceRegistry } from "../../src/internal/service/serviceRegistry.ts"
import { startProgram } from "../../src/internal/run/programRun.ts"
import { noLeftovers } from "../../src/process/processContext.ts"
import { Environment, LocalEnvironment, type StopReport } from "../../src/index.ts"
import { assertClean, stopsClean } from "../../src/testing.ts"
import { jobOf } from "../support/jobs.ts"
import { type Postgres, startPostgres } from "../support/postgres.ts"
import { adopted, idle } from "./layers.ts"
import { storage } from "./storage.ts"

/** Only their server is missing before it runs. */
const names = Object.keys(adopted("postgres://nowhere"))
const overSql = storage("postgres://nowhere")

class Hung extends Context.Service<Hung, "hung">()("adopted/Hung") {}
const hung = Layer.effect(Hung, Effect.as(Effect.addFinalizer(() => Effect.never), "hung" as const))

/** Runs a job of a layer to its report. */
const run = (layer: Layer.Layer<never, unknown>): Promise<StopReport> =>
  Environment.submit(jobOf(Effect.void, layer), {}).pipe(
    Effect.flatMap(({ result }) => Effect.map(result, ({ report }) => report)),
    Effect.scoped,
    Effect.provide(LocalEnvironment.layer),
    Effect.runPromise
  )

/**
 * Stops a layer within limits that go by another clock than the layer: that moves on only when nothing but the hung layer is
 * being released, so that a limit says nothing of the speed of the machine.
 */
const stop = (layer: Layer.Layer<never, unknown>): Promise<StopReport> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const clock = yield* TestClock.make()
      const limits = yield* programLimits({ releaseTimeout: "1 minute", deadline: "1 hour" })
      const built = Promise.withResolvers<void>()
      const program = {
        name: "adopted",
        limits,
        services: layer,
        run: Effect.andThen(Effect.sync(built.resolve), Effect.never),
        clock,
        leftovers: noLeftovers
      }
      const starter = yield* Effect.withFiber(Effect.succeed)
      const started = startProgram(program, starter)
      started.stopped.onOpen(built.resolve)
      yield* Effect.promise(() => built.promise)
      started.stop({ trigger: "stopped", mode: "cancel" })
      while (started.result === undefined) {
        yield* Effect.promise(() => setImmediate())
        if (isHeldUp(started.registry)) yield* clock.adjust("1 minute")
      }
      return started.result.report
    }).pipe(Effect.scoped)
  )

/** Whether nothing but the hung layer is being released, and layers that have it within them. */
const isHeldUp = (registry: ServiceRegistry): boolean => {
  const releasing = new Set(registry.pending().filter(({ state }) => state === "releasing").map(({ name }) => name))
  return releasing.delete(Hung.key) &&
    registry.report().every(({ dependsOn, name }) => !releasing.has(name) || dependsOn.includes(Hung.key))
}

const namesIn = ({ services }: StopReport) => services.map(({ name }) => name)

const checkLines = (report: StopReport): void => {
  assertClean(report)
  const all = namesIn(report)
  assert.strictEqual(new Set(all).size, all.length, "a name is there twice")
  for (const { initialized, managed, outcome } of report.services) {
    assert.isFalse(managed)
    // one that failed with something to release, and was replaced by another, has a line, too
    assert.strictEqual(outcome, initialized ? "released" : "start-failed")
  }
}

const outcomesIn = ({ services }: StopReport) => services.map(({ name, outcome }) => `${name}: ${outcome}`)

const checkHung = (report: StopReport, before: StopReport): void => {
  assert.deepStrictEqual(outcomesIn(report).toSorted(), [...outcomesIn(before), `${Hung.key}: abandoned`].toSorted())
  assert.deepStrictEqual(report.leftovers, [])
}

describe("layers that were adopted unchanged", () => {
  let postgres: Postgres
  let layers = adopted("")
  beforeAll(async () => {
    postgres = await startPostgres()
    layers = adopted(postgres.fresh())
  })
  afterAll(() => postgres.stop())

  it("are more than a hundred that have something to release", () => assert.isAtLeast(names.length - idle.size, 100))

  for (const name of names) {
    // those that make the same tables take turns
    const test = name in overSql ? it : it.concurrent
    test(name, async () => {
      const layer = layers[name] ?? assert.fail()
      const report = await run(layer)
      checkLines(report)
      assert.strictEqual(report.services.length === 0, idle.has(name), "it has something to release, or it has not")

      assert.deepStrictEqual(namesIn(await run(layer)), namesIn(report), "it has other names in another run")
      await Effect.runPromise(Effect.scoped(Layer.build(stopsClean(layer))))
      checkHung(await stop(Layer.provide(hung, layer)), report)
      checkHung(await stop(Layer.provide(layer, hung)), report)
    })
  }
})
