import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { JobStore } from "../../../src/manager/JobStore.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import type { JobInfo, RestartSetting, Submission } from "../../../src/manager/models.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { settle } from "../../support/jobs.ts"
import { managerService, Processes } from "../../support/managerService.ts"

const hourMs = 60 * 60 * 1_000
const concurrency = 2

/** What can happen to the jobs of a manager, in the order in which a test does it. */
const Step = Schema.Union([
  Schema.Struct({
    do: Schema.Literal("submit"),
    id: Schema.Literals(["a", "b", "c", "d"]),
    restart: Schema.Literals(["never", "fixed", "later"]),
    priority: Schema.Literals([0, 0, 1])
  }),
  Schema.Struct({
    do: Schema.Literals(["runs", "fails", "fails", "succeeds", "stop", "kill"]),
    id: Schema.Literals(["a", "b", "c", "d"])
  }),
  Schema.Struct({ do: Schema.Literals(["a moment", "an hour", "another manager"]) })
])
type Step = typeof Step.Type

const restarts: Readonly<Record<string, RestartSetting>> = {
  fixed: { policy: "fixed", delayMs: 0, times: 3 },
  later: { policy: "exponential", delayMs: hourMs / 2, maxDelayMs: hourMs }
}

/** What was written of each job. */
interface Written {
  readonly infos: Array<JobInfo>
  finishes: number
}

/** Runs steps against managers over one store, and lets the last one end all jobs. */
const play = (steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const written = new Map<string, Written>()
    const record = (info: JobInfo, finishes: number) => {
      const job = written.get(info.id) ?? { infos: [], finishes: 0 }
      written.set(info.id, job)
      job.infos.push(info)
      job.finishes += finishes
    }
    let store: JobStore["Service"] | undefined
    const started: Array<string> = []
    const layer = managerService({
      folder,
      jobs: ["it"],
      concurrency,
      onStart: (id) => {
        assert.strictEqual(written.get(id)?.finishes ?? 0, 0, "started after its end")
        started.push(id)
      },
      storeOf: (real) => {
        store = real
        return {
          ...real,
          update: (info, events) => Effect.andThen(Effect.sync(() => record(info, 0)), real.update(info, events)),
          finish: (info, result, events) =>
            Effect.andThen(Effect.sync(() => record(info, 1)), real.finish(info, result, events))
        }
      }
    })
    const open = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
      return { scope, manager: Context.get(context, Manager), processes: Context.get(context, Processes) }
    })
    let current = yield* open
    const submitted = new Set<string>()
    for (const step of steps) {
      const { manager, processes, scope } = current
      const process = "id" in step ? processes.get(step.id) : undefined
      const at = new Date(0).toISOString()
      switch (step.do) {
        case "submit": {
          if (submitted.has(step.id)) break
          submitted.add(step.id)
          const restart = restarts[step.restart]
          const submission: Submission = { job: "it", id: step.id, priority: step.priority }
          yield* manager.submit(restart === undefined ? submission : { ...submission, restart })
          break
        }
        case "runs":
          process?.report({ _tag: "RunStarted", at })
          break
        case "fails":
          process?.fail("oops")
          break
        case "succeeds":
          process?.succeed()
          break
        case "stop":
        case "kill":
          // answered once the end is on disk if the job has no process, so not awaited here
          if (submitted.has(step.id)) {
            yield* Effect.forkChild(manager.stop(step.id, { mode: step.do === "kill" ? "kill" : "drain" }))
          }
          break
        case "an hour":
          yield* settle
          yield* TestClock.adjust(hourMs)
          break
        case "another manager":
          yield* Scope.close(scope, Exit.void)
          current = yield* open
          break
        case "a moment":
          yield* settle
          break
      }
      const running = [...current.processes.values()].filter(({ isRunning }) => isRunning)
      assert.isAtMost(running.length, concurrency)
    }
    const ended = yield* Effect.forEach([...submitted], (id) =>
      Effect.gen(function*() {
        const { manager } = current
        yield* manager.stop(id, { reason: "the end" })
        const events = yield* Stream.runCollect(manager.events(id, { after: 0, follow: true }))
        return { info: yield* manager.get(id), events, stored: yield* store?.events(id, 0, 10_000) ?? Effect.never }
      }), { concurrency: "unbounded" })
    const live = [...current.processes.values()].filter(({ isRunning }) => isRunning)
    yield* Scope.close(current.scope, Exit.void)
    return { ended, live, started, written }
  })

/** The place of each public state in an attempt. */
const order: ReadonlyArray<JobInfo["state"]> = ["queued", "starting", "running", "stopping", "stopped"]

describe("JobScheduler", () => {
  it.effect.prop(
    "takes each job to one end, whatever happens to it and its managers",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(25)) },
    ({ steps }) =>
      Effect.map(play(steps), ({ ended, live, written }) => {
        assert.deepStrictEqual(live, [])
        for (const { events, info, stored } of ended) {
          const { finishes, infos } = written.get(info.id) ?? assert.fail("nothing was written")
          assert.strictEqual(finishes, 1)
          assert.strictEqual(infos.at(-1)?.state, "stopped", "written after its end")
          assert.deepStrictEqual(infos.at(-1), info)
          for (const [index, { restarts = 0, state }] of infos.entries()) {
            const before = infos[index - 1]
            if (before === undefined) continue
            if (restarts === before.restarts || (restarts === 0 && before.restarts === undefined)) {
              assert.isAtLeast(order.indexOf(state), order.indexOf(before.state))
            } else assert.isAbove(restarts, before.restarts ?? 0)
          }
          assert.deepStrictEqual(events, stored)
          assert.deepStrictEqual(stored.map(({ seq }) => seq), stored.map((_, index) => index + 1))
          const tags = stored.map(({ event }) => event._tag)
          assert.strictEqual(tags.filter((tag) => tag === "JobRestarting").length, info.restarts ?? 0)
          assert.strictEqual(tags.indexOf("JobStopped"), tags.length - 1)
        }
      }).pipe(Effect.scoped),
    { timeout: 120_000, arbitrary: { runs: 40 } }
  )

  it.effect("never starts a job that was stopped in the queue", () =>
    Effect.scoped(Effect.gen(function*() {
      const submitted = ["a", "b", "c"] as const
      const { ended, started } = yield* play([
        ...submitted.map((id) => ({ do: "submit", id, restart: "never", priority: 0 }) as const),
        { do: "a moment" },
        { do: "stop", id: "c" },
        { do: "a moment" },
        { do: "succeeds", id: "a" },
        { do: "succeeds", id: "b" },
        { do: "a moment" }
      ])
      assert.deepStrictEqual(ended.map(({ info }) => info.outcome), ["succeeded", "succeeded", "cancelled"])
      assert.deepStrictEqual(started, ["a", "b"])
    })))
})

/** A test with a manager of its own, which runs one job at once, and a clock that it moves. */
const test = (name: string, body: Effect.Effect<void, unknown, Manager | Processes | Scope.Scope>) =>
  it.effect(name, () =>
    Effect.flatMap(
      temporaryFolder,
      (folder) => Effect.provide(body, managerService({ folder, jobs: ["it"], concurrency: 1 }))
    ))

const submit = (restart: RestartSetting) =>
  Effect.andThen(Manager.use((manager) => manager.submit({ job: "it", id: "a", restart })), settle)
const info = Manager.use((manager) => manager.get("a"))
const process = Effect.map(Processes, (processes) => processes.get("a") ?? assert.fail("there is no process"))

/** Lets the job fail, and waits until what follows is on disk. */
const fail = Effect.gen(function*() {
  const { restarts: before = 0 } = yield* info
  ;(yield* process).fail("oops")
  const manager = yield* Manager
  for (;;) {
    const { restarts = 0, state } = yield* manager.get("a")
    if (restarts > before || state === "stopped") return yield* settle
    yield* Effect.yieldNow
  }
})

/** Asserts that the next attempt starts after this delay, and not a millisecond before. */
const startsAfter = (delayMs: number) =>
  Effect.gen(function*() {
    const failed = yield* process
    yield* TestClock.adjust(delayMs - 1)
    assert.strictEqual(yield* process, failed)
    assert.strictEqual((yield* info).state, "queued")
    yield* TestClock.adjust(1)
    yield* settle
    assert.notStrictEqual(yield* process, failed)
    assert.strictEqual((yield* info).state, "starting")
  })

describe("a restart", () => {
  test(
    "with the policy fixed has the same delay each time, a limited number of times",
    Effect.gen(function*() {
      yield* submit({ policy: "fixed", delayMs: 24 * hourMs, times: 2 })
      for (const restarts of [1, 2]) {
        yield* fail
        assert.strictEqual((yield* info).restarts, restarts)
        yield* startsAfter(24 * hourMs)
      }
      yield* fail
      assert.include(yield* info, { state: "stopped", restarts: 2, outcome: "failed" })
    })
  )

  test(
    "with the policy exponential has a delay that grows up to the longest one",
    Effect.gen(function*() {
      yield* submit({ policy: "exponential", delayMs: 1_000, factor: 3, maxDelayMs: 60 * 24 * hourMs })
      for (let delayMs = 1_000; delayMs < 60 * 24 * hourMs; delayMs *= 3) {
        yield* fail
        yield* startsAfter(delayMs)
      }
      yield* fail
      // longer than one timer of Node can wait
      yield* startsAfter(60 * 24 * hourMs)
    })
  )

  test(
    "with the policy failure-rate ends once the job fails too often within one interval",
    Effect.gen(function*() {
      yield* submit({ policy: "failure-rate", failures: 2, intervalMs: hourMs, delayMs: 1_000 })
      for (let n = 0; n < 5; n++) {
        yield* fail
        yield* startsAfter(1_000)
        yield* TestClock.adjust(hourMs / 2)
      }
      yield* fail
      yield* startsAfter(1_000)
      yield* fail
      assert.strictEqual((yield* info).state, "stopped")
    })
  )

  test(
    "does not follow a success",
    Effect.gen(function*() {
      yield* submit({ policy: "fixed", delayMs: 1_000 })
      ;(yield* process).succeed()
      const manager = yield* Manager
      const stopped = yield* Effect.forkChild(Stream.runDrain(manager.events("a", { after: 0, follow: true })))
      yield* Fiber.join(stopped)
      assert.include(yield* info, { state: "stopped", outcome: "succeeded" })
    })
  )

  it.effect("waits out its delay with the next manager", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const manager = Layer.fresh(managerService({ folder, jobs: ["it"], concurrency: 1 }))
      yield* Effect.provide(
        Effect.gen(function*() {
          yield* submit({ policy: "fixed", delayMs: 24 * hourMs })
          yield* fail
          yield* TestClock.adjust(23 * hourMs)
        }),
        manager
      )
      yield* Effect.provide(
        Effect.gen(function*() {
          yield* settle
          yield* TestClock.adjust(hourMs - 1)
          assert.include(yield* info, { state: "queued", restarts: 1 })
          yield* TestClock.adjust(1)
          yield* settle
          assert.include(yield* info, { state: "starting", restarts: 1 })
        }),
        manager
      )
    })))
})
