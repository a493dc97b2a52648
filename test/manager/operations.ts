/** Random operations on job managers over one store, against what operators may rely on. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { StoreError } from "../../src/manager/errors.ts"
import type { JobStore } from "../../src/manager/JobStore.ts"
import { Manager } from "../../src/manager/Manager.ts"
import type { NumberedEvent, RestartSetting, Submission } from "../../src/manager/models.ts"
import { temporaryFolder } from "../support/folder.ts"
import { settle } from "../support/jobs.ts"
import { managerService, Processes } from "../support/managerService.ts"

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
    do: Schema.Literals(["runs", "prints", "fails", "succeeds", "follow", "renew", "delete", "force", "drain", "kill"]),
    id: Schema.Literals(ids)
  }),
  Schema.Struct({
    do: Schema.Literals(["page", "clean", "a moment", "an hour", "another manager", "store away", "store back"])
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
    const folder = yield* temporaryFolder
    let isAway = false
    const layer = managerService({
      folder,
      jobs: ["it"],
      concurrency,
      storeOf: (real) => breakable(real, () => isAway)
    })
    const open = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
      return { scope, manager: Context.get(context, Manager), processes: Context.get(context, Processes) }
    })
    let current = yield* open
    /** The submits that were answered, and of those the ones that were removed since. */
    const answered = new Map<string, Submission>()
    const followed: Array<Followed> = []
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

    for (const operation of operations) {
      const { manager, processes, scope } = current
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
            if (before !== undefined) assert.deepStrictEqual(submission, before, "another job had this id")
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
        case "kill":
          yield* ask(manager.stop(operation.id, { mode: operation.do, reason: "asked" }))
          break
        case "delete":
        case "force":
          yield* ask(Effect.map(manager.remove(operation.id, operation.do === "force"), () => {
            answered.delete(operation.id)
          }))
          yield* settle
          break
        case "clean":
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
        case "store away":
          isAway = true
          break
        case "store back":
          yield* restoreStore
          break
        case "another manager": {
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
          yield* settle
          // a store that is down is given up after a while
          yield* TestClock.adjust("1 minute")
          yield* Fiber.join(closing)
          yield* Fiber.interruptAll(asked.splice(0))
          isAway = false
          current = yield* open
          break
        }
      }
      const running = [...current.processes.values()].filter(({ isRunning }) => isRunning)
      assert.isAtMost(running.length, concurrency)
    }

    yield* restoreStore
    const { manager, processes } = current
    for (const id of ids) yield* ask(manager.stop(id, { reason: "the end" }))
    yield* settle
    yield* TestClock.adjust("1 minute")
    yield* settle
    for (const fiber of asked) yield* Fiber.await(fiber)
    assert.deepStrictEqual([...processes.values()].filter(({ isRunning }) => isRunning), [])
    const stored = yield* manager.list({ limit: 100 })
    // nothing that was answered is lost, and nothing shows as running that is not
    for (const id of answered.keys()) assert.isTrue(stored.some((info) => info.id === id), `${id} is lost`)
    for (const { id, outcome, state, stoppedAt } of stored) {
      assert.strictEqual(state, "stopped")
      assert.isDefined(outcome)
      assert.isDefined(stoppedAt)
      const { report } = yield* manager.result(id)
      assert.strictEqual(report.jobId, id)
      const events = yield* Stream.runCollect(manager.events(id, { after: 0, follow: false }))
      assertWhole(events)
      const ends = events.filter(({ event }) => event._tag === "JobStopped")
      assert.strictEqual(ends.length, 1, "it has not ended once")
      assert.strictEqual(events.at(-1)?.event._tag, "JobStopped")
    }
    for (const { events } of followed) assertWhole(events)
    yield* Scope.close(current.scope, Exit.void)
    assert.deepStrictEqual(filesIn(join(folder, "unsaved")), [])
    assert.deepStrictEqual(filesIn(join(folder, "results")), [])
  }).pipe(Effect.scoped)

/** No event is missing, and none is there twice. */
const assertWhole = (events: ReadonlyArray<NumberedEvent>) =>
  assert.deepStrictEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1))

const filesIn = (folder: string) => existsSync(folder) ? readdirSync(folder) : []

/** A store whose every operation fails while it is away. */
const breakable = (real: JobStore["Service"], isAway: () => boolean): JobStore["Service"] => {
  const away = new StoreError({ operation: "any", message: "the store is away" })
  const guarded = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.suspend(() => isAway() ? Effect.fail(away) : effect)
  return Object.fromEntries(
    Object.entries(real).map(([name, member]) => [
      name,
      typeof member === "function"
        // safe: each operation of a store returns an effect that may fail so
        ? (...args: ReadonlyArray<never>) =>
          guarded((member as (...args: ReadonlyArray<never>) => Effect.Effect<unknown, StoreError>)(...args))
        : guarded(member as Effect.Effect<unknown, StoreError>)
    ])
  ) as unknown as JobStore["Service"]
}
