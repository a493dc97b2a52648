import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { createServer } from "node:http"
import { Environment, Job } from "../src/index.ts"
import { Manager } from "../src/manager/Manager.ts"
import { Address } from "../src/manager/http/server.ts"
import { layer, type RemoteOptions } from "../src/RemoteEnvironment.ts"
import { eventOf, eventsOf, until } from "./support/hosts.ts"
import { Endless, resultOf, serving, stateOf, Sum } from "./support/serving.ts"
import { Control } from "./support/memoryManager.ts"

/** An environment at a server of its own, which the test can ask too. */
const remote = (options: Partial<RemoteOptions> = {}, limits = {}) =>
  Layer.provideMerge(
    Layer.unwrap(Effect.map(Address, ({ url }) => layer({ url, ...options }))),
    serving({ limits })
  )

/** A clock that is so many milliseconds later at each look. */
const jumping = (clock: Clock.Clock, ms: number): Clock.Clock => {
  let looks = 0
  const later = Effect.suspend(() => Effect.map(clock.currentTimeMillis, (now) => now + ms * looks++))
  return Object.create(clock, { currentTimeMillis: { value: later } })
}

describe("a remote environment", () => {
  it.live("runs a job of which it has only the contract, and decodes the result with its Schemas", () =>
    Effect.gen(function*() {
      const run = yield* Environment.submit(Sum, { numbers: [1, 2, 3], at: new Date(0) })
      const { exit, report } = yield* run.result
      assert.deepStrictEqual(exit, Exit.succeed({ sum: 6n }))
      assert.deepStrictEqual([report.jobId, report.outcome, report.clean], [run.id, "succeeded", true])
      assert.strictEqual(yield* run.status, "stopped")
      assert.deepStrictEqual((yield* eventsOf(run)).map(({ _tag }) => _tag), [
        "JobSubmitted",
        "RunStarted",
        "RunEnded",
        "StopRequested",
        "JobStopped"
      ])
      const control = yield* Control
      assert.deepStrictEqual(control.submissions[0]?.payload, { numbers: [1, 2, 3], at: "1970-01-01T00:00:00.000Z" })
      assert.deepStrictEqual(yield* Effect.flip(Environment.run(Sum, { numbers: [-1] })), { negative: -1 })
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("sends the autostop and the stop settings of a submit", () =>
    Effect.gen(function*() {
      const control = yield* Control
      yield* Environment.submit(Endless, {}, {
        id: "mine",
        autostop: { idle: "2 seconds" },
        stopPolicy: { deadline: Duration.seconds(3), drainTimeout: "1s", startTimeout: Infinity, strategy: "fast" }
      })
      yield* Environment.submit(Endless, {}, { autostop: false })
      const [first, second] = control.submissions
      assert.deepStrictEqual(first, {
        id: "mine",
        job: "endless",
        payload: {},
        autostop: { idle: 2000 },
        stopPolicy: { deadline: 3000, drainTimeout: "1s", startTimeout: "Infinity", strategy: "fast" }
      })
      assert.isFalse(second?.autostop)
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("submits again while the manager is busy, and fails with that reason if it stays so", () =>
    Effect.gen(function*() {
      const control = yield* Control
      control.busy = 2
      yield* Environment.submit(Endless)
      assert.strictEqual(control.submissions.length, 3)
      control.busy = Infinity
      // the time is up at the second look at the clock
      const clock = yield* Clock.Clock
      const refused = yield* Effect.flip(Environment.submit(Endless)).pipe(
        Effect.provideService(Clock.Clock, jumping(clock, 31_000))
      )
      assert.deepInclude(refused, { _tag: "SubmitError", reason: "busy", message: "it has enough to do" })
      assert.strictEqual(control.submissions.length, 4)
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("refuses a submit that the job or the manager refuses, before anything starts", () =>
    Effect.gen(function*() {
      const refused = <A, E>(submit: Effect.Effect<A, E, Environment | Scope.Scope>) => Effect.flip(submit)
      // @ts-expect-error: the payload does not fit
      const payload = yield* refused(Environment.submit(Sum, { numbers: ["x"] }))
      assert.deepInclude(payload, { _tag: "SubmitError", reason: "payload" })
      const policy = yield* refused(Environment.submit(Endless, {}, { stopPolicy: { deadline: -1 } }))
      assert.strictEqual(policy._tag, "PolicyError")
      const autostop = yield* refused(Environment.submit(Endless, {}, { autostop: { idle: 0 } }))
      assert.strictEqual(autostop._tag, "PolicyError")
      const id = yield* refused(Environment.submit(Endless, {}, { id: "../x" }))
      assert.deepInclude(id, { _tag: "SubmitError", reason: "id" })
      assert.strictEqual((yield* Control).submissions.length, 0)
      const none = yield* refused(Environment.submit(Job.make("none"), {}))
      assert.include(none.message, "there is no job \"none\"")
      assert.propertyVal(none, "reason", "refused")
      yield* Environment.submit(Endless, {}, { id: "taken" })
      const taken = yield* refused(Environment.submit(Sum, { numbers: [] }, { id: "taken" }))
      assert.include(taken.message, "taken")
      ;(yield* Control).ready = false
      const unavailable = yield* refused(Environment.submit(Endless, {}))
      assert.include(unavailable.message, "takes no jobs")
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("says that its manager cannot be reached, or requires a token", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.flip(
        Effect.provide(Environment.run(Endless, {}), layer({ url: "http://127.0.0.1:1" }))
      )
      assert.include(
        String(gone),
        "the job manager at http://127.0.0.1:1 cannot be reached; check the address and that it runs"
      )
      const invalid = yield* Effect.flip(Effect.provide(Environment.run(Endless, {}), layer({ url: "nonsense" })))
      assert.deepInclude(invalid, { _tag: "SubmitError", reason: "unreachable" })
      assert.propertyVal(gone, "reason", "unreachable")
      yield* Effect.gen(function*() {
        const { url } = yield* Address
        const submit = Environment.run(Sum, { numbers: [1] })
        const unauthorized = yield* Effect.flip(Effect.provide(submit, layer({ url })))
        assert.include(String(unauthorized), "token")
        assert.deepStrictEqual(yield* Effect.provide(submit, layer({ url, token: "t".repeat(16) })), { sum: 1n })
      }).pipe(Effect.provide(serving({ tokens: [{ token: "t".repeat(16), role: "operate" }] })))
    }).pipe(Effect.scoped))

  it.live("does not retry at a server that is no manager", () =>
    Effect.gen(function*() {
      const server = createServer((_, response) => response.writeHead(200).end("<html></html>")).listen(0)
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      const address = server.address()
      const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
      const error = yield* Effect.flip(Effect.provide(Environment.run(Endless, {}), layer({ url })))
      assert.deepInclude(error, { _tag: "SubmitError", reason: "unreachable" })
    }).pipe(Effect.scoped))

  it.live("stops a job, and returns its stages", () =>
    Effect.gen(function*() {
      const run = yield* Environment.submit(Endless, {})
      yield* eventOf(run, "RunStarted")
      assert.deepStrictEqual([yield* run.status, yield* run.stages], ["running", []])
      yield* run.stop({ mode: "cancel", reason: "enough" })
      const { exit, report } = yield* run.result
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.deepStrictEqual([report.trigger, report.reason], ["stopped", "enough"])
      yield* run.stop()
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("stops a job with the Scope it was submitted in, with its submitter, and with the environment", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const inScope = yield* Scope.provide(Environment.submit(Endless, {}), scope)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* stateOf(inScope.id), "stopped")

      const running = yield* Effect.forkChild(Environment.run(Endless, {}, { id: "interrupted" }))
      const { submissions } = yield* Control
      yield* until("it is submitted", () => submissions.some(({ id }) => id === "interrupted"))
      yield* Fiber.interrupt(running)
      assert.strictEqual(yield* stateOf("interrupted"), "stopped")

      const { url } = yield* Address
      const own = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer({ url }), own)
      const detached = Environment.submit(Endless, {}, { id: "released" }).pipe(Effect.provideContext(context))
      yield* detached
      yield* Scope.close(own, Exit.void)
      assert.strictEqual(yield* stateOf("released"), "stopped")
      const { report } = yield* resultOf("released")
      assert.strictEqual(report.reason, "its environment was released")
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("dies if its manager does not know the job any more", () =>
    Effect.gen(function*() {
      const run = yield* Environment.submit(Endless, {})
      const waiting = yield* Effect.forkChild(Effect.exit(run.result))
      yield* eventOf(run, "RunStarted")
      const { remove } = yield* Manager
      yield* remove(run.id, true)
      // the follower saw the job stop before it was removed
      yield* Fiber.join(waiting)
      const other = yield* Environment.submit(Endless, {})
      yield* eventOf(other, "RunStarted")
      yield* remove(other.id, true)
      const exit = yield* Effect.exit(other.stages)
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("does not know it"))
      yield* other.stop()
    }).pipe(Effect.scoped, Effect.provide(remote())))

  it.live("renews the leases of its jobs with `onDisconnect: stop`, and no others", () =>
    Effect.gen(function*() {
      const { url } = yield* Address
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer({ url, onDisconnect: "stop" }), scope)
      yield* Effect.provideContext(Environment.submit(Endless, {}, { id: "leased" }), context)
      yield* Environment.submit(Endless, {}, { id: "free" })
      const { renewals, submissions } = yield* Control
      assert.deepStrictEqual(submissions.map(({ leaseMs }) => leaseMs), [15_000, undefined])
      yield* Effect.sleep("5500 millis")
      assert.strictEqual(renewals.get("leased"), 1)
      yield* Scope.close(scope, Exit.void)
      yield* Effect.sleep("5 seconds")
      assert.deepStrictEqual([...renewals], [["leased", 1]])
    }).pipe(Effect.scoped, Effect.provide(remote())))
})
