import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"
import type { JobStore } from "../../../src/manager/JobStore.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import type { Submission } from "../../../src/manager/models.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { settle } from "../../support/jobs.ts"
import { managerService, Processes } from "../../support/managerService.ts"

/** A manager whose store waits does not end, so that all gates open if a test fails. */
const gates = new Set<OneShotLatch>()

/** Makes one operation of the store wait until the test opens the gate. */
const gated = (operation: "append" | "finish" | "update", when: (state: string) => boolean = () => true) => {
  const reached = new OneShotLatch()
  const open = new OneShotLatch()
  gates.add(open)
  const wait = Effect.andThen(Effect.sync(() => reached.open()), open.await)
  const storeOf = (store: JobStore["Service"]): JobStore["Service"] => ({
    ...store,
    append: (id, events) =>
      operation === "append" ? Effect.andThen(wait, store.append(id, events)) : store.append(id, events),
    update: (info, events) =>
      operation === "update" && when(info.state)
        ? Effect.andThen(wait, store.update(info, events))
        : store.update(info, events),
    finish: (info, result, events) =>
      operation === "finish"
        ? Effect.andThen(wait, store.finish(info, result, events))
        : store.finish(info, result, events)
  })
  return { reached: reached.await, open: Effect.sync(() => open.open()), storeOf }
}

type Options = Partial<Parameters<typeof managerService>[0]>

/** A test with a manager of its own, which runs one job at once. */
const test = (
  name: string,
  body: (folder: string) => readonly [
    options: Options,
    effect: Effect.Effect<void, unknown, Manager | Processes | Scope.Scope>
  ]
) =>
  it.live(name, () =>
    Effect.scoped(Effect.flatMap(temporaryFolder, (folder) => {
      const [options, effect] = body(folder)
      const opened = Effect.ensuring(effect, Effect.sync(() => gates.forEach((gate) => gate.open())))
      return Effect.provide(opened, managerService({ folder, jobs: ["it"], concurrency: 1, ...options }))
    })), 30_000)

const hour = 60 * 60 * 1_000
const restart = { policy: "fixed", delayMs: hour } as const

const processOf = Effect.fnUntraced(function*(id: string) {
  const processes = yield* Processes
  for (;;) {
    const process = processes.get(id)
    if (process !== undefined) return process
    yield* Effect.sleep(1)
  }
})

/** Submits a job, and returns the manager and the process of the job once there is one. */
const begun = Effect.fnUntraced(function*(settings: Partial<Submission> = {}) {
  const manager = yield* Manager
  const { id } = yield* manager.submit({ job: "it", id: "a", ...settings })
  return { manager, process: yield* processOf(id) }
})

/** Waits until a job is in a state. */
const until = Effect.fnUntraced(function*(id: string, state: string, restarts = 0) {
  const manager = yield* Manager
  for (;;) {
    const info = yield* manager.get(id)
    if (info.state === state && (info.restarts ?? 0) === restarts) return info
    yield* Effect.sleep(1)
  }
})

const eventsOf = (id: string) =>
  Effect.flatMap(Manager, (manager) => Stream.runCollect(manager.events(id, { after: 0, follow: true })))

const tagsOf = (events: Iterable<{ readonly event: { readonly _tag: string } }>) =>
  [...events].map(({ event }) => event._tag)

describe("a job that is stopped", () => {
  test("is not restarted if the stop comes while its failure is being written", () => {
    const gate = gated("update", (state) => state === "queued")
    return [
      { storeOf: gate.storeOf },
      Effect.gen(function*() {
        const { manager, process } = yield* begun({ restart })
        process.fail("oops")
        yield* gate.reached
        const stop = yield* Effect.forkChild(manager.stop("a", { reason: "enough" }))
        yield* settle
        assert.isUndefined(stop.pollUnsafe(), "it was answered before it was on disk")
        yield* gate.open
        assert.strictEqual((yield* Fiber.join(stop)).state, "stopped")
        assert.deepStrictEqual(tagsOf(yield* eventsOf("a")), ["JobRestarting", "JobStopped"])
        const { report } = yield* manager.result("a")
        assert.include(report, { trigger: "stopped", reason: "enough" })
      })
    ]
  })

  test("while it waits for its restart is active until its end is on disk, and is not restarted", () => {
    const gate = gated("finish")
    return [
      { storeOf: gate.storeOf },
      Effect.gen(function*() {
        const manager = yield* Manager
        const submission = { job: "it", id: "a", restart }
        yield* manager.submit(submission)
        const process = yield* processOf("a")
        process.fail("oops")
        yield* until("a", "queued", 1)
        yield* settle
        const stop = yield* Effect.forkChild(manager.stop("a", {}))
        yield* gate.reached
        yield* settle
        assert.strictEqual((yield* manager.get("a")).state, "stopped")
        assert.strictEqual((yield* manager.submit(submission)).state, "stopped")
        yield* gate.open
        yield* Fiber.join(stop)
        assert.deepStrictEqual(tagsOf(yield* eventsOf("a")), ["JobRestarting", "JobStopped"])
        assert.strictEqual((yield* manager.result("a")).report.trigger, "stopped")
      })
    ]
  })

  test("can be removed at once, without force", () => {
    const gate = gated("finish")
    return [
      { storeOf: gate.storeOf },
      Effect.gen(function*() {
        const { manager } = yield* begun()
        yield* manager.stop("a", {})
        yield* gate.reached
        const removed = yield* Effect.forkChild(manager.remove("a", false), { startImmediately: true })
        yield* settle
        yield* gate.open
        yield* Fiber.join(removed)
        assert.strictEqual((yield* Effect.flip(manager.get("a")))._tag, "NotFound")
      })
    ]
  })
})

describe("a job whose manager is stopped while it is being requeued", () => {
  /** Returns the info of the job at the next manager. */
  const next = (folder: string, stops: boolean, state: string) => {
    const gate = gated("update", (state) => state === "queued")
    const options = { folder: join(folder, "other"), jobs: ["it"], concurrency: 1 }
    const before = Effect.gen(function*() {
      const { manager, process } = yield* begun({ restart: { policy: "fixed", delayMs: 10 } })
      yield* until("a", "starting")
      process.fail("oops")
      yield* gate.reached
      const closed = yield* Effect.forkChild(manager.close)
      const stop = stops ? yield* Effect.forkChild(manager.stop("a", { reason: "enough" })) : undefined
      yield* settle
      assert.isUndefined(stop?.pollUnsafe(), "it was answered before it was on disk")
      yield* gate.open
      yield* Fiber.join(closed)
    }).pipe(Effect.provide(managerService({ ...options, storeOf: gate.storeOf })))
    return Effect.andThen(before, Effect.provide(until("a", state, 1), managerService(options)))
  }

  test("is restarted by the next manager", (folder) => [{}, next(folder, false, "starting")])

  test("has stopped if a stop was requested meanwhile", (folder) => [
    {},
    Effect.map(next(folder, true, "stopped"), (info) => assert.include(info, { trigger: "stopped", reason: "enough" }))
  ])
})

describe("a stop that is requested while the manager is being stopped", () => {
  test("is kept, so that the next manager does not restart the job", (folder) => {
    const options = { folder: join(folder, "other"), jobs: ["it"], concurrency: 1 }
    return [
      {},
      Effect.gen(function*() {
        yield* Effect.gen(function*() {
          const { manager } = yield* begun({ id: "b", restart: { policy: "fixed", delayMs: 10 } })
          yield* until("b", "starting")
          const closed = yield* Effect.forkChild(manager.close, { startImmediately: true })
          yield* manager.stop("b", { reason: "enough" })
          yield* Fiber.join(closed)
        }).pipe(Effect.provide(managerService(options)))
        const next = yield* Effect.provide(until("b", "stopped"), managerService(options))
        assert.strictEqual(next.trigger, "stopped")
      })
    ]
  })
})

describe("the stop of a job that waits for a slot", () => {
  const gate = () => {
    const gate = gated("finish")
    const waiting = Effect.gen(function*() {
      const { manager } = yield* begun()
      yield* manager.submit({ job: "it", id: "b" })
      return { manager, stop: Effect.forkChild(manager.stop("b", {})) }
    })
    return { gate, waiting }
  }

  test("is answered once it is on disk, however often it is requested", () => {
    const { gate: { open, reached, storeOf }, waiting } = gate()
    return [
      { storeOf },
      Effect.gen(function*() {
        const { stop } = yield* waiting
        const stops = [yield* stop, yield* stop]
        yield* reached
        stops.push(yield* stop)
        yield* settle
        assert.deepStrictEqual(stops.map((fiber) => fiber.pollUnsafe()), [undefined, undefined, undefined])
        yield* open
        for (const fiber of stops) assert.strictEqual((yield* Fiber.join(fiber)).state, "stopped")
      })
    ]
  })

  test("fails after 5 s if the store cannot be written, and is written later", () => {
    const { gate: { open, reached, storeOf }, waiting } = gate()
    return [
      { storeOf },
      Effect.gen(function*() {
        const { stop } = yield* waiting
        yield* Effect.gen(function*() {
          const fiber = yield* stop
          yield* reached
          yield* settle
          yield* TestClock.adjust("5 seconds")
          const error = yield* Effect.flip(Fiber.join(fiber))
          assert.match(error.message, /^the stop of job b is not on disk yet/)
        }).pipe(Effect.provide(TestClock.layer()))
        yield* open
        yield* until("b", "stopped")
      })
    ]
  })
})

describe("a job that is submitted again", () => {
  test("has the payload and the settings of the one before, which has stopped, without its lease", () => [
    {},
    Effect.gen(function*() {
      const payload = { deep: [1, null] }
      const settings = { payload, priority: 3, stopPolicy: { deadline: "3 seconds" }, leaseMs: hour, timeMs: hour }
      const { manager, process } = yield* begun(settings)
      yield* until("a", "starting")
      const early = yield* Effect.flip(manager.retry("a", {}))
      assert.include(early, {
        _tag: "Conflict",
        message: "job a is starting: it can be submitted again once it has stopped"
      })
      process.succeed()
      yield* until("a", "stopped")
      const again = yield* manager.retry("a", { id: "b" })
      assert.include(again, { id: "b", job: "it", priority: 3 })
      assert.isDefined(yield* processOf("b"))
      // it is the same job if it is sent twice, and no other
      assert.strictEqual((yield* manager.retry("a", { id: "b" })).submittedAt, again.submittedAt)
      const { leaseMs: _, ...rest } = settings
      assert.strictEqual((yield* manager.submit({ ...rest, job: "it", id: "b" })).submittedAt, again.submittedAt)
      assert.notStrictEqual((yield* manager.retry("a", {})).id, "b")
      assert.strictEqual((yield* Effect.flip(manager.retry("a", { id: "a" })))._tag, "Conflict")
      assert.strictEqual((yield* Effect.flip(manager.retry("nobody", {})))._tag, "NotFound")
    })
  ])
})

describe("the events of a job", () => {
  test("can be read after any number of thousands, by followers and by later readers", () => [
    {},
    Effect.gen(function*() {
      const { manager, process } = yield* begun()
      yield* until("a", "starting")
      const numbersAfter = (after: number) =>
        Stream.runCollect(Stream.map(manager.events("a", { after, follow: true }), ({ seq }) => seq))
      const follow = (after: number) => Effect.forkChild(numbersAfter(after), { startImmediately: true })
      const told = 12_000
      const first = yield* follow(0)
      for (let n = 1; n <= told; n++) {
        process.report({ _tag: "ServiceStarting", at: new Date().toISOString(), service: `S${n}` })
        // so that some are on disk before the others happen
        if (n % 500 === 0) yield* Effect.sleep(1)
      }
      const saved = manager.events("a", { after: told - 1, follow: true })
      yield* Stream.runDrain(Stream.take(saved, 1))
      const places = [0, 1, 6_999, 7_000, told - 1, told, told + 5]
      const late = yield* Effect.forEach(places, follow)
      yield* manager.stop("a", {})
      yield* until("a", "stopped")
      const numbers = [first, ...late]
      for (const [index, after] of [0, ...places].entries()) {
        const seen = yield* Fiber.join(numbers[index] ?? assert.fail())
        const expected = Array.from({ length: Math.max(0, told + 1 - after) }, (_, n) => after + n + 1)
        assert.deepStrictEqual(seen, expected, `after ${after}`)
        assert.deepStrictEqual(yield* numbersAfter(after), expected, `after ${after}, later`)
      }
    })
  ])
})

describe("a slow reader of a job's events", () => {
  test("fails if the job is removed before it has read all", () => [
    {},
    Effect.gen(function*() {
      const { manager, process } = yield* begun()
      yield* until("a", "starting")
      const tell = () => process.report({ _tag: "RunStarted", at: new Date().toISOString() })
      tell()
      const pull = yield* Stream.toPull(manager.events("a", { after: 0, follow: true }))
      assert.lengthOf(yield* pull, 1)
      for (let n = 0; n < 12_000; n++) tell()
      yield* manager.stop("a", {})
      yield* until("a", "stopped")
      yield* manager.remove("a", false)
      const error = yield* Effect.flip(pull)
      assert.include(error, { _tag: "NotFound", message: "job a was removed while its events were read" })
    })
  ])
})

describe("the last event of a job", () => {
  test("is on disk together with its result", () => {
    const gate = gated("finish")
    const stores: Array<JobStore["Service"]> = []
    return [
      {
        storeOf: (store) => {
          stores.push(store)
          return gate.storeOf(store)
        }
      },
      Effect.gen(function*() {
        const { manager } = yield* begun()
        yield* manager.stop("a", {})
        yield* gate.reached
        const [store = assert.fail()] = stores
        // so that a manager that is killed now emits the event only once
        assert.deepStrictEqual(yield* store.events("a", 0, 10), [])
        yield* gate.open
        assert.deepStrictEqual(tagsOf(yield* eventsOf("a")), ["JobStopped"])
        assert.deepStrictEqual(tagsOf(yield* store.events("a", 0, 10)), ["JobStopped"])
      })
    ]
  })

  test("is emitted if the events before it are still being written", () => {
    const gate = gated("append")
    return [
      { storeOf: gate.storeOf },
      Effect.gen(function*() {
        const { manager, process } = yield* begun()
        yield* until("a", "starting")
        yield* settle
        process.report({ _tag: "ServiceStarting", at: new Date().toISOString(), service: "S" })
        yield* gate.reached
        const told = yield* Effect.forkChild(eventsOf("a"), { startImmediately: true })
        yield* manager.stop("a", {})
        yield* until("a", "stopped")
        yield* gate.open
        assert.deepStrictEqual(tagsOf(yield* Fiber.join(told)), ["ServiceStarting", "JobStopped"])
      })
    ]
  })
})

describe("a restart", () => {
  test("has a time that is shown until it starts", () => [
    {},
    Effect.gen(function*() {
      const { process } = yield* begun({ restart: { policy: "fixed", delayMs: 50 } })
      process.fail("oops")
      assert.isDefined((yield* until("a", "queued", 1)).restartsAt)
      assert.isUndefined((yield* until("a", "starting", 1)).restartsAt)
    })
  ])

  test("may have a delay that ends beyond the last date", () => [
    {},
    Effect.gen(function*() {
      const { manager, process } = yield* begun({ restart: { policy: "fixed", delayMs: 1e300 } })
      process.fail("oops")
      assert.match((yield* until("a", "queued", 1)).restartsAt ?? "", /^\+275760/)
      yield* manager.stop("a", {})
      assert.deepStrictEqual(tagsOf(yield* eventsOf("a")), ["JobRestarting", "JobStopped"])
    })
  ])
})

describe("a manager", () => {
  test("goes on if a process cannot be started", () => [
    {
      onStart: (id) => {
        if (id === "a") throw new Error("spawn ENOMEM")
      }
    },
    Effect.gen(function*() {
      const manager = yield* Manager
      yield* manager.submit({ job: "it", id: "a" })
      yield* manager.submit({ job: "it", id: "b" })
      yield* processOf("b")
      const { report } = yield* manager.result("a")
      assert.include(report, { outcome: "failed", reason: "its process could not be started: spawn ENOMEM" })
    })
  ])

  test("removes files of an earlier manager that are not needed", (folder) => {
    const unpacked = join(folder, "bundles", "0".repeat(64))
    mkdirSync(unpacked, { recursive: true })
    mkdirSync(`${unpacked}.7f0c`)
    mkdirSync(join(folder, "results"))
    for (const name of ["a.json", "a.json.tmp"]) writeFileSync(join(folder, "results", name), "{}")
    return [
      {},
      Effect.sync(() => {
        assert.deepStrictEqual(readdirSync(join(folder, "results")), [])
        assert.isTrue(existsSync(unpacked))
        assert.isFalse(existsSync(`${unpacked}.7f0c`))
      })
    ]
  })

  test("asks for a bundle that its store does not have, although the bundle is unpacked", (folder) => {
    const hash = "0".repeat(64)
    mkdirSync(join(folder, "bundles", hash), { recursive: true })
    return [
      {},
      Effect.gen(function*() {
        const manager = yield* Manager
        const error = yield* Effect.flip(manager.submit({ job: "it", id: "a", bundle: hash }))
        assert.include(error, { _tag: "NotFound", message: `there is no bundle ${hash}: upload it first` })
      })
    ]
  })
})

describe("a manager with as many waiting jobs as it may have", () => {
  test("takes no further one until one of them begins, but for those that it has", () => [
    { queued: 2 },
    Effect.gen(function*() {
      const { manager, process } = yield* begun()
      const submit = (id?: string) => manager.submit({ job: "it", ...(id === undefined ? {} : { id }) })
      yield* submit("b")
      yield* submit("c")
      for (const id of ["d", undefined]) {
        const refused = yield* Effect.flip(submit(id))
        assert.deepInclude(refused, {
          _tag: "Busy",
          message:
            "2 jobs wait, which is the limit: submit again later, or start the manager with a larger --max-queued"
        })
      }
      assert.strictEqual((yield* submit("b")).id, "b")
      assert.strictEqual((yield* submit("a")).id, "a")
      process.succeed()
      yield* processOf("b")
      yield* submit("d")
      assert.strictEqual((yield* Effect.flip(submit("e")))._tag, "Busy")
    })
  ])

  test("counts jobs that wait for a restart, and those that are being submitted", () => [
    { queued: 2 },
    Effect.gen(function*() {
      const { manager, process } = yield* begun({ restart })
      process.fail("oops")
      yield* until("a", "queued", 1)
      yield* manager.submit({ job: "it", id: "b" })
      const all = yield* Effect.forEach(["c", "d", "e", "f"], (id) => Effect.exit(manager.submit({ job: "it", id })), {
        concurrency: "unbounded"
      })
      assert.strictEqual(all.filter(({ _tag }) => _tag === "Success").length, 1)
    })
  ])
})
