import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Environment, Job, LocalEnvironment, Pipeline, StopReport } from "../../src/index.ts"
import {
  Command,
  type Entry,
  Journal,
  needsOf,
  probeName,
  probes,
  type ServicePlan,
  ServicePlans
} from "../../src/testing.ts"
import { settle } from "./jobs.ts"

const Settings = Schema.Struct({
  strategy: Schema.Literals(["graceful", "graceful", "fast", "immediate"]),
  deadline: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 20_000 })),
  releaseConcurrency: Schema.Literals(["unbounded", 1, 2]),
  onReleaseFailure: Schema.Literals(["continue", "continue", "kill"]),
  startTimeout: Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 4_000 }))
})

interface Outcome {
  readonly report: StopReport
  readonly journal: Journal
  readonly emitted: ReadonlyArray<number>
  readonly delivered: ReadonlyArray<number>
  readonly stopTook: number
}

const play = (
  plans: ReadonlyArray<ServicePlan>,
  commands: ReadonlyArray<Command>,
  stopPolicy: typeof Settings.Type,
  autostop: boolean
) =>
  Effect.gen(function*() {
    const journal = new Journal()
    const queue = yield* Queue.unbounded<number, Cause.Done | Error>()
    const emitted: Array<number> = []
    const delivered: Array<number> = []
    const job = Job.make("model", {
      error: Schema.Unknown,
      services: probes(journal, plans),
      run: () =>
        Stream.fromQueue(queue).pipe(
          Pipeline.source("queue"),
          Stream.map((n) => {
            emitted.push(n)
            return n
          }),
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(n % 7), n), { concurrency: 3 }),
          Pipeline.keyed((n) => n % 3, (n) => Effect.as(Effect.sleep(n % 5), n), { concurrency: 2 }),
          Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
        )
    })
    const submit = Effect.andThen(
      Effect.flatMap(Environment.submit(job, {}, { autostop, stopPolicy }), (run) => {
        handle = run
        return Effect.exit(run.result)
      }),
      Effect.void
    )
    let handle:
      | { readonly result: Effect.Effect<{ readonly report: StopReport }> }
        & Pick<
          import("../../src/index.ts").JobRun<unknown, unknown>,
          "stop" | "events" | "status"
        >
      | undefined
    const caller = yield* Effect.forkChild(submit, { startImmediately: true })
    const run = handle ?? assert.fail("the job was refused")
    const waiting = yield* Effect.forkChild(run.result, { startImmediately: true })
    const log = yield* Effect.forkChild(Stream.runCollect(run.events), { startImmediately: true })
    let next = 0
    for (const command of commands) {
      yield* settle
      switch (command._tag) {
        case "Wait":
          yield* TestClock.adjust(command.ms)
          break
        case "Emit":
          yield* Queue.offerAll(queue, Array.from({ length: command.count }, () => next++))
          break
        case "End":
          yield* Queue.end(queue)
          break
        case "Fail":
          yield* Queue.fail(queue, new Error("the source failed"))
          break
        case "Interrupt":
          yield* Effect.forkChild(Fiber.interrupt(caller), { startImmediately: true })
          break
        case "Stop":
          yield* run.stop({ mode: command.mode })
          break
      }
    }
    yield* run.stop()
    yield* settle
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* run.status, "stopped", "it hangs")
    const { report } = yield* Fiber.join(waiting)
    const asked = (yield* Fiber.join(log)).find((event) => event._tag === "StopRequested") ?? assert.fail("never asked")
    // nothing changes after the end
    const before = JSON.stringify(report)
    yield* run.stop({ mode: "kill" })
    yield* TestClock.adjust("10 minutes")
    const again = (yield* run.result).report
    assert.strictEqual(again, report)
    assert.strictEqual(JSON.stringify(again), before)
    const stopTook = Date.parse(report.stoppedAt) - Date.parse(asked.at)
    return { report, journal, emitted, delivered, stopTook } satisfies Outcome
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))

/** Each of these is said of every run, whatever happened in it. */
const check = (plans: ReadonlyArray<ServicePlan>, settings: typeof Settings.Type, outcome: Outcome): void => {
  const { delivered, emitted, journal, report } = outcome
  // the report's times are whole milliseconds
  const end = Date.parse(report.stoppedAt) + 1
  const by = (name: string, what: Parameters<Journal["has"]>[1]) =>
    journal.entries.some((entry) => entry.service === name && entry.what === what && entry.at < end)
  const names = report.services.map((service) => service.name)
  assert.strictEqual(new Set(names).size, names.length, "a service has two lines")

  // what began to start is reported, and nothing else; a plain layer is one once it has something to release
  const isPlain = (name: string) => plans.some(({ managed }, place) => !managed && probeName(place) === name)
  const at = (name: string, what: Entry["what"]) => journal.entries[journal.indexOf(name, what)]?.at
  // what is acquired in a scope that has closed is released at once
  const wasLate = (name: string) => at(name, "releasing") === at(name, "acquired")
  const begun = new Set(journal.entries.filter(({ what }) => what === "acquiring").map(({ service }) => service))
  // a plain layer that was interrupted before it provided something has no name that anybody could know
  const named = report.services.filter(({ name }) => begun.has(name))
  const nameless = report.services.filter(({ name }) => !begun.has(name))
  for (const { managed, outcome } of nameless) assert.isTrue(!managed && outcome === "start-failed")
  assert.deepStrictEqual(
    names.filter((name) => begun.has(name) && !isPlain(name)).toSorted(),
    [...begun].filter((name) => !isPlain(name)).toSorted()
  )
  const unnamed = [...begun].filter((name) => isPlain(name) && !names.includes(name))
  assert.isAtLeast(unnamed.length, nameless.length)
  assert.isAtMost(unnamed.filter((name) => by(name, "acquired") && !wasLate(name)).length, nameless.length)
  // each that the stop interrupted has a line, unless the failure of another one had interrupted it before
  const hasFailed = [...begun].some((name) =>
    !journal.has(name, "acquired") && (by(name, "failed") || by(name, "died"))
  )
  if (!hasFailed) assert.strictEqual(nameless.length, unnamed.length)

  for (const service of named) {
    const { name } = service
    assert.deepStrictEqual(
      new Set(service.dependsOn),
      new Set(plans.flatMap((plan, place) => probeName(place) === name ? needsOf(plan, place).map(probeName) : [])),
      `${name} has other dependencies than its layer`
    )
    // what was acquired, in time or too late, was released or is named as still running
    if (journal.has(name, "acquired")) assert.isTrue(journal.has(name, "releasing"), `${name} was never released`)
    if (!service.initialized) {
      assert.strictEqual(service.outcome, "start-failed", name)
      continue
    }
    assert.isTrue(by(name, "acquired") && by(name, "releasing") && service.cleanupCalled, name)
    const broke = by(name, "failed") || by(name, "died")
    const ended = by(name, "released") || broke
    assert.strictEqual(service.running, !ended, `${name} running`)
    const outcome = broke ? ["release-failed"] : ended ? ["released", "timed-out"] : ["abandoned"]
    assert.include(outcome, service.outcome, name)
    assert.strictEqual(service.cleanupCompleted, ended && !broke, name)
  }

  // dependents before what they depend on: a need is only released once its dependents have ended, or missed their limit
  for (const service of named) {
    for (const need of service.dependsOn) {
      const first = journal.indexOf(need, "releasing")
      if (!service.initialized || first < 0) continue
      const own = journal.indexOf(service.name, "releasing")
      assert.isTrue(own >= 0 && own < first, `${need} was released before ${service.name}, which needs it`)
      if (service.outcome !== "released") continue
      assert.isBelow(journal.indexOf(service.name, "released"), first, `${need} did not wait for ${service.name}`)
    }
  }

  // one budget
  assert.isAtMost(outcome.stopTook, settings.deadline, "it took longer than its deadline")

  // the report agrees with itself
  assert.strictEqual(report.clean, StopReport.isClean(report))
  const unclean = report.services.some((service) =>
    service.initialized ? service.outcome !== "released" : service.running
  )
  if (unclean) assert.isFalse(report.clean)
  assert.deepStrictEqual(Schema.decodeUnknownSync(StopReport)(JSON.parse(JSON.stringify(report))), report)

  // nothing lost that was emitted, and order within each key
  if (report.outcome === "succeeded") assert.deepStrictEqual(delivered.toSorted((a, b) => a - b), emitted)
  for (const key of [0, 1, 2]) {
    const ofKey = delivered.filter((n) => n % 3 === key)
    assert.deepStrictEqual(ofKey, ofKey.toSorted((a, b) => a - b), "a key lost its order")
  }
  // whatever was dropped is counted where it was dropped
  const counts = report.stages.map(({ count, dropped = 0 }) => ({ count, dropped }))
  const [source, mapped, sorted] = counts
  if (source === undefined || mapped === undefined || sorted === undefined) return
  assert.strictEqual(source.count, emitted.length)
  assert.strictEqual(source.count, mapped.count + mapped.dropped)
  assert.strictEqual(mapped.count, sorted.count + sorted.dropped)
  assert.isAtLeast(sorted.count, delivered.length)
}

/** What holds of every stop, in so many generated jobs. */
export const stopProperties = (runs: number): void => {
  it.effect.prop(
    "ends every service in one outcome, in order, within the deadline, and its report agrees with an independent trace",
    {
      plans: ServicePlans,
      commands: Schema.Array(Command).check(Schema.isMaxLength(10)),
      settings: Settings,
      autostop: Schema.Boolean
    },
    ({ autostop, commands, plans: generated, settings }) => {
      // A limit beyond the deadline is refused, which has a test of its own.
      const plans = generated.map((plan) =>
        plan.limit === undefined ? plan : { ...plan, limit: Math.min(plan.limit, settings.deadline) }
      )
      return Effect.map(play(plans, commands, settings, autostop), (outcome) => check(plans, settings, outcome))
    },
    { timeout: 600_000, arbitrary: { runs: runs } }
  )
}
