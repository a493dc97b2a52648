import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Host } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { everywhere, gone, local, patientStart, runJob } from "../support/hosts.ts"
import { serviceOf, submit } from "../support/jobs.ts"
import { Desk, Point, Refused, Values } from "./services/desk.ts"

/** At least the number of chunks that may be on their way to a caller. */
const windowAtMost = 16

// A caller sees the same wherever the service lives.
describe.each(everywhere)("a service, host %s", (host) => {
  const layer = Host.layer(Desk, { host, start: patientStart })
  const isProcess = host === "process" || host === "ray"

  describe("outside of a job", () => {
    const desk = it.layer(layer)

    desk((it) => {
      it.effect("returns results", () =>
        Effect.gen(function*() {
          const { add } = yield* Desk
          assert.strictEqual(yield* add({ a: 1, b: 2 }), 3)
        }))

      it.effect("fails with errors of their class", () =>
        Effect.gen(function*() {
          const { refuse } = yield* Desk
          const error = yield* Effect.flip(refuse({ why: "closed" }))
          assert.instanceOf(error, Refused)
          assert.strictEqual(error.why, "closed")
        }))

      it.effect("dies if its handler dies", () =>
        Effect.gen(function*() {
          const { die } = yield* Desk
          assert.strictEqual(defectOf(yield* Effect.exit(die({ message: "broken" }))), "broken")
        }))

      it.effect("answers a request without payload", () =>
        Effect.gen(function*() {
          const { pid } = yield* Desk
          assert.strictEqual((yield* pid()) === process.pid, !isProcess)
        }))

      it.effect("refuses a payload that does not fit its Schema", () =>
        Effect.gen(function*() {
          const { add, range } = yield* Desk
          const exits = [
            yield* Effect.exit(add({ a: 1.5, b: 2 })),
            yield* Effect.exit(Stream.runDrain(range({ to: 1.5 })))
          ]
          for (const exit of exits) assert.include(defectOf(exit), "Schema validation failed")
        }))

      it.effect("transfers values of many kinds", () =>
        Effect.gen(function*() {
          const { values } = yield* Desk
          const given = Values.make({
            date: new Date(1_700_000_000_123),
            bigint: 2n ** 70n,
            map: new Map([["one", 1], ["two", 2]]),
            some: Option.some("thing"),
            none: Option.none(),
            duration: Duration.millis(1_500),
            point: new Point({ x: 3, y: 4 }),
            bytes: Uint8Array.of(0, 255, 10),
            nothing: null,
            numbers: [0.1, -0, 2 ** 53, Number.MIN_VALUE],
            text: "\u0000 ż 🦊 \ufeff"
          })
          const got = yield* values(given)
          assert.deepStrictEqual(Object.keys(got).toSorted(), Object.keys(given).toSorted())
          assert.deepStrictEqual(got.date, given.date)
          assert.strictEqual(got.bigint, given.bigint)
          assert.deepStrictEqual([...got.map], [...given.map])
          assert.deepStrictEqual([got.some, got.none], [given.some, given.none])
          assert.isTrue(Equal.equals(got.duration, given.duration))
          assert.instanceOf(got.point, Point)
          assert.strictEqual(got.point.length, 5)
          assert.deepStrictEqual(Array.from(got.bytes), [0, 255, 10])
          assert.deepStrictEqual([got.nothing, got.text], [null, given.text])
          assert.isTrue(got.numbers.every((number, place) => Object.is(number, given.numbers[place])))
        }))

      it.effect("transfers a mebibyte, byte for byte", () =>
        Effect.gen(function*() {
          const { bytes } = yield* Desk
          const given = Uint8Array.from({ length: 2 ** 20 }, (_, place) => (place * 31) % 251)
          const got = yield* bytes({ bytes: given })
          assert.isTrue(Buffer.from(given.toReversed()).equals(got))
          assert.strictEqual(given[1], 31, "what was sent was changed")
        }))

      it.effect("streams many elements in their order", () =>
        Effect.gen(function*() {
          const { range } = yield* Desk
          const numbers = yield* Stream.runCollect(range({ to: 100_000 }))
          assert.strictEqual(numbers.length, 100_000)
          assert.isTrue(numbers.every((number, place) => number === place + 1))
        }))

      it.effect("emits the elements of a stream that fails, and then its error", () =>
        Effect.gen(function*() {
          const { broken, dying } = yield* Desk
          const seen: Array<number> = []
          const see = Stream.runForEach((n: number) => Effect.sync(() => seen.push(n)))
          const error = yield* Effect.flip(see(broken({ to: 3 })))
          assert.instanceOf(error, Refused)
          assert.strictEqual(error.why, "after 3")
          assert.strictEqual(defectOf(yield* Effect.exit(see(dying({ to: 2 })))), "dead after 2")
          assert.deepStrictEqual(seen, [1, 2, 3, 1, 2])
        }))

      it.effect("streams the elements of a queue, up to its error", () =>
        Effect.gen(function*() {
          const { queued } = yield* Desk
          const seen: Array<number> = []
          const error = yield* Effect.flip(
            Stream.runForEach(queued({ to: 50 }), (n) => Effect.sync(() => seen.push(n)))
          )
          assert.instanceOf(error, Refused)
          assert.deepStrictEqual(seen, Array.from({ length: 50 }, (_, place) => place + 1))
        }))

      it.effect("returns the result of a Deferred", () =>
        Effect.gen(function*() {
          const { later } = yield* Desk
          assert.strictEqual(yield* later({ n: 7 }), 7)
          assert.instanceOf(yield* Effect.flip(later({ n: -7 })), Refused)
        }))
    })
  })

  it.live("answers a call while another one waits", () =>
    Effect.gen(function*() {
      const { add, held, hold, open } = yield* Desk
      const waiting = yield* Effect.forkChild(held(), { startImmediately: true })
      assert.strictEqual(yield* add({ a: 1, b: 1 }), 2)
      assert.isUndefined(waiting.pollUnsafe())
      const holding = yield* Effect.forkChild(hold(), { startImmediately: true })
      yield* Fiber.join(waiting)
      yield* open()
      yield* Fiber.interrupt(holding)
    }).pipe(Effect.provide(layer)))

  it.live("interrupts a handler, and the interrupt waits for its finalizer", () =>
    Effect.gen(function*() {
      const { finalized, held, hold, letGo, open } = yield* Desk
      const call = yield* Effect.forkChild(hold(), { startImmediately: true })
      yield* held()
      const interrupt = yield* Effect.forkChild(Fiber.interrupt(call), { startImmediately: true })
      yield* letGo()
      assert.deepStrictEqual(yield* finalized(), [])
      assert.isUndefined(interrupt.pollUnsafe(), "the interrupt did not wait")
      yield* open()
      yield* Fiber.join(interrupt)
      assert.deepStrictEqual(yield* finalized(), ["hold"])
      const exit = yield* Fiber.await(call)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    }).pipe(Effect.provide(layer)))

  it.live("ends the handler of a stream that is not pulled any longer", () =>
    Effect.gen(function*() {
      const { endless, finalized, made } = yield* Desk
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(endless(), 3)), [1, 2, 3])
      assert.deepStrictEqual(yield* finalized(), ["endless"])
      const then = yield* made()
      assert.strictEqual(yield* made(), then)
    }).pipe(Effect.provide(layer)))

  it.live("does not run ahead of a slow consumer by more than its window", () =>
    Effect.gen(function*() {
      const { endless, made } = yield* Desk
      const ahead: Array<number> = []
      yield* endless().pipe(
        Stream.take(30),
        Stream.runForEach((n) =>
          Effect.gen(function*() {
            // time enough for the handler to run ahead
            for (let turn = 0; turn < 20; turn++) yield* made()
            ahead.push((yield* made()) - n)
          })
        )
      )
      assert.strictEqual(ahead.length, 30)
      assert.isAtMost(Math.max(...ahead), windowAtMost)
    }).pipe(Effect.provide(layer)))

  it.live("ends with the scope of its layer, and refuses calls from then on", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { add, pid, range } = Context.get(yield* Layer.buildWithScope(layer, scope), Desk)
      const own = yield* pid()
      yield* Scope.close(scope, Exit.void)
      if (isProcess) yield* gone(own)
      for (const call of [add({ a: 1, b: 2 }), Stream.runDrain(range({ to: 2 }))]) {
        const error = yield* Effect.flip(call)
        assert.instanceOf(error, Host.HostError)
        assert.include(error, { reason: "stopped", service: "test/Desk" })
      }
    }))

  it.live("in a job reports its calls and the services within it, and refuses calls once the job is over", () =>
    Effect.gen(function*() {
      const clients: Array<Desk["Service"]> = []
      const { exit, report } = yield* runJob(
        Effect.gen(function*() {
          const desk = yield* Desk
          clients.push(desk)
          yield* desk.add({ a: 1, b: 2 })
          yield* Effect.exit(desk.refuse({ why: "no" }))
          yield* Stream.runDrain(desk.range({ to: 10 }))
          return yield* desk.pid()
        }),
        layer
      )
      assertClean(report)
      const line = serviceOf(report, "test/Desk")
      const inner = serviceOf(report, host === "local" ? "test/Finalized" : "test/Desk/test/Finalized")
      assert.include(line, { host, used: 4, outcome: "released", cleanupCompleted: true, running: false })
      assert.include(inner, { host, outcome: "released", cleanupCompleted: true, running: false })
      const pid = Exit.isSuccess(exit) ? exit.value : assert.fail("it failed")
      assert.strictEqual(line.pid, isProcess ? pid : undefined)
      const [desk = assert.fail("the job did not run")] = clients
      const error = yield* Effect.flip(desk.add({ a: 1, b: 2 }))
      assert.instanceOf(error, Host.HostError)
      assert.strictEqual(error.reason, "stopped")
    }).pipe(local))

  it.live("interrupts the calls in flight of a stopped job before it is released", () =>
    Effect.gen(function*() {
      const inFlight = yield* Deferred.make<void>()
      const job = yield* submit(
        Effect.gen(function*() {
          const desk = yield* Desk
          const ready = Effect.all([desk.held(), desk.open(), Deferred.succeed(inFlight, undefined)])
          yield* Effect.all([desk.hold(), ready], { concurrency: "unbounded" })
        }),
        layer
      )
      yield* Deferred.await(inFlight)
      yield* job.stop()
      const { report } = yield* job.result
      assertClean(report)
      assert.strictEqual(report.outcome, "cancelled")
    }).pipe(local))
})

const defectOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit) || !Cause.hasDies(exit.cause)) assert.fail(`it did not die: ${String(exit)}`)
  const defect = Cause.squash(exit.cause)
  return defect instanceof Error ? defect.message : String(defect)
}
