import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../../src/index.ts"
import { StoreError } from "../../../src/manager/errors.ts"
import type { JobStore } from "../../../src/manager/JobStore.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService, Processes } from "../../support/managerService.ts"

const at = "2026-01-01T00:00:00.000Z"

const deep = (levels: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value }
  return value
}

const cycle: Record<string, unknown> = {}
cycle["self"] = cycle

/** What no text of JSON can hold, or no stack can visit. */
const unstorable: Readonly<Record<string, unknown>> = {
  "nested 4,600 deep": deep(4_600),
  "nested 50,000 deep": deep(50_000),
  cyclic: cycle,
  "a function": () => 1,
  "one that throws": {
    get value(): never {
      throw new Error("it does not want to be read")
    }
  }
}

const begin = Effect.fnUntraced(function*(id: string) {
  const manager = yield* Manager
  const processes = yield* Processes
  yield* manager.submit({ job: "it", id })
  for (;;) {
    const process = processes.get(id)
    if (process !== undefined) return process
    yield* Effect.sleep(1)
  }
})

const stopped = Effect.fnUntraced(function*(id: string) {
  const manager = yield* Manager
  for (;;) {
    if ((yield* manager.get(id)).state === "stopped") break
    yield* Effect.sleep(1)
  }
  // it is there once the end is on disk
  yield* manager.result(id)
  return yield* manager.get(id)
})

const assertReady = Effect.flatMap(Manager, ({ isReady }) => Effect.map(isReady, (ready) => assert.isTrue(ready)))

/** Runs one effect after the other, each at a manager of its own that has the same folder. */
const atManagers = (
  effects: ReadonlyArray<Effect.Effect<void, unknown, Manager | Processes>>,
  storeOf?: (store: JobStore["Service"]) => JobStore["Service"]
) =>
  Effect.scoped(
    Effect.flatMap(temporaryFolder, (folder) =>
      Effect.forEach(effects, (effect) =>
        Effect.provide(effect, managerService({ folder, jobs: ["it"], ...storeOf === undefined ? {} : { storeOf } })), {
        discard: true
      }))
  )

describe("a job whose result no store can hold", () => {
  for (const [name, value] of Object.entries(unstorable)) {
    it.live(`(${name}) has failed and says so, also after a restart, and keeps no other from its end`, () => {
      const check = Effect.gen(function*() {
        const info = yield* stopped("a")
        assert.deepInclude(info, { outcome: "failed", clean: false })
        assert.match(info.reason ?? "", /^its result cannot be stored: /)
        const { exit, report } = yield* (yield* Manager).result("a")
        assert.match(JSON.stringify(exit), /its result cannot be stored: /)
        assert.strictEqual(report.outcome, "failed")
        const events = yield* Stream.runCollect((yield* Manager).events("a", { after: 0, follow: false }))
        assert.deepInclude(events.at(-1)?.event, { _tag: "JobStopped", outcome: "failed", clean: false })
        yield* assertReady
      })
      return atManagers([
        Effect.gen(function*() {
          const first = yield* begin("a")
          const second = yield* begin("b")
          first.succeedWith({ _tag: "Success", value })
          second.succeed()
          assert.strictEqual((yield* stopped("b")).outcome, "succeeded")
          yield* check
        }),
        Effect.andThen(check, Effect.flatMap(begin("c"), (process) => Effect.sync(() => process.succeed())))
      ])
    })
  }

  it.live("and that says something else each time is given up once others were stored meanwhile", () => {
    let attempts = 0
    return atManagers([
      Effect.gen(function*() {
        const process = yield* begin("a")
        process.succeedWith({ _tag: "Success", value: "the one" })
        for (let i = 0; i < 12; i++) {
          const other = yield* begin(`b${i}`)
          other.succeed()
          assert.strictEqual((yield* stopped(`b${i}`)).outcome, "succeeded")
        }
        const info = yield* stopped("a")
        assert.match(info.reason ?? "", /^its result cannot be stored: the store is not sure/)
        assert.isAtMost(attempts, 12)
        yield* assertReady
      })
    ], (store) => ({
      ...store,
      finish: (info, result, events) =>
        JSON.stringify(result).includes("the one")
          ? Effect.suspend(() =>
            Effect.fail(new StoreError({ operation: "finish", message: `the store is not sure (${++attempts})` }))
          )
          : store.finish(info, result, events)
    }))
  })
})

describe("an event that no store can hold", () => {
  for (const [name, value] of Object.entries(unstorable)) {
    it.live(`(${name}) is dropped, and the others of its job and of others are kept`, () =>
      atManagers([
        Effect.gen(function*() {
          const [process, other] = [yield* begin("a"), yield* begin("b")]
          process.report({ _tag: "RunStarted", at })
          // safe: the manager is to take any
          process.report({ _tag: "ServiceFailed", at, service: "bad", error: value } as JobEvent)
          process.report({ _tag: "ServiceFailed", at, service: "good", error: "no" })
          process.succeed()
          other.succeed()
          assert.strictEqual((yield* stopped("a")).outcome, "succeeded")
          assert.strictEqual((yield* stopped("b")).outcome, "succeeded")
          yield* assertReady
        }),
        Effect.gen(function*() {
          const events = yield* Stream.runCollect((yield* Manager).events("a", { after: 0, follow: false }))
          const services = events.flatMap(({ event }) => event._tag === "ServiceFailed" ? [event.service] : [])
          assert.deepStrictEqual(services, ["good"])
          assert.deepInclude(events.at(-1)?.event, { _tag: "JobStopped", outcome: "succeeded" })
        })
      ]))
  }
})
