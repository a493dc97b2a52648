/** Random operations on job managers over one store, against what operators may rely on. */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { cpSync, existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Manager } from "../../src/manager/Manager.ts"
import type { NumberedEvent, RestartSetting, Submission } from "../../src/manager/models.ts"
import { ResultFiles, writeResultFile } from "../../src/manager/resultFile.ts"
import { breakable } from "../support/breakableStore.ts"
import { temporaryFolder } from "../support/folder.ts"
import { settle } from "../support/jobs.ts"
import { shifted } from "../support/shiftedClock.ts"
import { managerService, Processes } from "../support/managerService.ts"
import { assertEnded, assertWhole, type EndedJob } from "./endedJobs.ts"

const ids = ["a", "b", "c", "d", "e"] as const
const concurrency = 2
const hourMs = 60 * 60 * 1_000

export const Operation = Schema.Union([
  Schema.Struct({
    do: Schema.Literal("submit"),
    id: Schema.Literals(ids),
    restart: Schema.Literals(["never", "at once", "later"]),
    /** A submit of the same id with another payload is refused. */
    payload: Schema.Literals([1, 1, 2]),
    leased: Schema.Boolean
  }),
  Schema.Struct({
    do: Schema.Literals([
      "runs",
      "prints",
      "fails",
      "succeeds",
      "is killed",
      "follow",
      "renew",
      "delete",
      "force",
      "drain",
      "cancel",
      "kill"
    ]),
    id: Schema.Literals(ids)
  }),
  Schema.Struct({
    do: Schema.Literals([
      "page",
      "clean",
      "a moment",
      "an hour",
      "clock forward",
      "clock back",
      "clients are killed",
      "another manager",
      "manager is killed",
      "all are killed",
      "store away",
      "store back"
    ])
  })
])
export type Operation = typeof Operation.Type

const restarts: Readonly<Record<string, RestartSetting>> = {
  "at once": { policy: "fixed", delayMs: 0, times: 3 },
  later: { policy: "exponential", delayMs: hourMs / 2, maxDelayMs: hourMs }
}

interface Followed {
  readonly id: string
  readonly events: Array<NumberedEvent>
}

/** Applies operations, then lets everything end, and checks what must hold. */
export const operate = (operations: ReadonlyArray<Operation>) =>
  Effect.gen(function*() {
    let isAway = false
    let shiftMs = 0
    const clock = shifted(yield* Clock.Clock, () => shiftMs)
    const open = Effect.fnUntraced(function*(folder: string) {
      const layer = managerService({
        folder,
        jobs: ["it"],
        concurrency,
        storeOf: (real) => breakable(real, () => isAway)
      }).pipe(Layer.provide(Layer.succeed(Clock.Clock, clock)))
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
      return { folder, scope, manager: Context.get(context, Manager), processes: Context.get(context, Processes) }
    })
    let current = yield* open(yield* temporaryFolder)
    /** The submits that were answered, without those that were removed since. */
    const answered = new Map<string, Submission>()
    /** The jobs that somebody has asked to remove, without an answer so far. */
    const unsure = new Set<string>()
    let followed: Array<Followed> = []
    /** What was asked of a manager and is not answered yet. */
    const asked: Array<Fiber.Fiber<unknown, unknown>> = []
    const ask = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.map(Effect.forkChild(effect), (fiber) => void asked.push(fiber))
    const restoreStore = Effect.gen(function*() {
      isAway = false
      yield* settle
      yield* TestClock.adjust("1 minute")
      yield* settle
    })
    const close = Effect.fnUntraced(function*({ scope }: typeof current) {
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      // a store that is down is given up after a while
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(closing)
    })
    /** Continues with what is on disk at this moment: what the manager does from now on is seen by nobody. */
    const killManager = Effect.fnUntraced(function*(jobsReport: boolean) {
      const killed = current
      const folder = yield* temporaryFolder
      cpSync(killed.folder, folder, { recursive: true })
      const results = new ResultFiles(folder)
      for (const [id, process] of killed.processes) {
        if (jobsReport && process.isRunning) writeResultFile(results.of(id), process.resultAtLoss)
      }
      yield* Fiber.interruptAll(asked.splice(0))
      yield* close(killed)
      isAway = false
      current = yield* open(folder)
    })
    const remove = (id: string, force: boolean) => {
      unsure.add(id)
      followed = followed.filter((reader) => reader.id !== id)
      return current.manager.remove(id, force).pipe(
        Effect.map(() => void answered.delete(id)),
        Effect.onExit((exit) =>
          Effect.sync(() => void ((Exit.isSuccess(exit) || !Exit.hasInterrupts(exit)) && unsure.delete(id)))
        )
      )
    }

    for (const operation of operations) {
      const { folder, manager, processes } = current
      const at = new Date(0).toISOString()
      switch (operation.do) {
        case "submit": {
          const { id, leased, payload } = operation
          const restart = restarts[operation.restart]
          const submission: Submission = {
            job: "it",
            id,
            payload,
            ...(restart === undefined ? {} : { restart }),
            ...(leased ? { leaseMs: 2 * hourMs } : {})
          }
          yield* ask(Effect.map(manager.submit(submission), () => {
            const before = answered.get(id)
            if (before !== undefined && !unsure.has(id)) {
              assert.deepStrictEqual(submission, before, "another job had this id")
            }
            answered.set(id, submission)
          }))
          yield* settle
          break
        }
        case "runs":
          processes.get(operation.id)?.report({ _tag: "RunStarted", at })
          break
        case "prints":
          processes.get(operation.id)?.report({ _tag: "ServiceStarting", at, service: "S" })
          break
        case "fails":
          processes.get(operation.id)?.fail("oops")
          break
        case "succeeds":
          processes.get(operation.id)?.succeed()
          break
        case "is killed":
          processes.get(operation.id)?.lose()
          break
        case "follow": {
          const events: Array<NumberedEvent> = []
          followed.push({ id: operation.id, events })
          yield* ask(Stream.runForEach(
            manager.events(operation.id, { after: 0, follow: true }),
            (event) => Effect.sync(() => void events.push(event))
          ))
          break
        }
        case "renew":
          yield* ask(manager.renew(operation.id))
          break
        case "drain":
        case "cancel":
        case "kill":
          yield* ask(manager.stop(operation.id, { mode: operation.do, reason: "asked" }))
          break
        case "delete":
        case "force":
          yield* ask(remove(operation.id, operation.do === "force"))
          yield* settle
          break
        case "clean":
          followed = []
          yield* ask(Effect.andThen(
            manager.clean(new Date(hourMs * 1_000).toISOString()),
            Effect.forEach([...ids], (id) =>
              Effect.match(manager.get(id), {
                onFailure: (error) => void (error._tag === "NotFound" && answered.delete(id)),
                onSuccess: () => {}
              }), { discard: true })
          ))
          yield* settle
          break
        case "page": {
          if (isAway) {
            break
          }
          const page = (yield* manager.list({ limit: 100 })).map(({ id }) => id)
          assert.strictEqual(new Set(page).size, page.length)
          break
        }
        case "a moment":
          yield* settle
          break
        case "an hour":
          yield* settle
          yield* TestClock.adjust(hourMs)
          break
        case "clock forward":
          shiftMs += 3 * hourMs
          break
        case "clock back":
          shiftMs -= 3 * hourMs
          break
        case "clients are killed":
          yield* Fiber.interruptAll(asked.splice(0))
          break
        case "manager is killed":
        case "all are killed":
          yield* killManager(operation.do === "manager is killed")
          break
        case "store away":
          isAway = true
          break
        case "store back":
          yield* restoreStore
          break
        case "another manager": {
          yield* close(current)
          yield* Fiber.interruptAll(asked.splice(0))
          isAway = false
          current = yield* open(folder)
          break
        }
      }
      const running = [...current.processes.values()].filter(({ isRunning }) => isRunning)
      assert.isAtMost(running.length, concurrency)
    }

    yield* restoreStore
    const { folder, manager, processes } = current
    for (const id of ids) yield* ask(manager.stop(id, { reason: "the end" }))
    yield* settle
    yield* TestClock.adjust("1 minute")
    yield* settle
    for (const fiber of asked) yield* Fiber.await(fiber)
    assert.deepStrictEqual([...processes.values()].filter(({ isRunning }) => isRunning), [])
    const stored = yield* manager.list({ limit: 100 })
    const jobs = yield* Effect.forEach(stored, (info) =>
      Effect.map(
        Effect.all([
          manager.result(info.id),
          Stream.runCollect(manager.events(info.id, { after: 0, follow: false }))
        ]),
        ([{ report }, events]): EndedJob => ({ info, report, events })
      ))
    assertEnded(jobs, [...answered.keys()].filter((id) => !unsure.has(id)))
    // what a follower has seen is on disk, and stays as it was seen
    for (const { events, id } of followed) {
      assertWhole(events)
      const { events: all = [] } = jobs.find(({ info }) => info.id === id) ?? {}
      assert.deepStrictEqual(events, all.slice(0, events.length), id)
    }
    yield* Scope.close(current.scope, Exit.void)
    assert.deepStrictEqual(filesIn(join(folder, "unsaved")), [])
    assert.deepStrictEqual(filesIn(join(folder, "results")), [])
  }).pipe(Effect.scoped)

const filesIn = (folder: string) => existsSync(folder) ? readdirSync(folder) : []
