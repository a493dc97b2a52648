import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Environment } from "../src/index.ts"
import { Manager } from "../src/manager/Manager.ts"
import { Address } from "../src/manager/http/server.ts"
import { layer, type RemoteOptions } from "../src/RemoteEnvironment.ts"
import { eventOf, eventsOf, until } from "./support/hosts.ts"
import { Endless, latch, Latched, resultOf, serving, stateOf, Sum } from "./support/serving.ts"
import { Control } from "./support/memoryManager.ts"
import { type Proxy, proxyOf } from "./support/proxy.ts"

type Within = Environment | Control | Manager | Address | Scope.Scope

/** A test of an environment that reaches its manager through a proxy. */
const through = (
  name: string,
  body: (proxy: Proxy) => Effect.Effect<void, unknown, Within>,
  { limits = {}, remote = {} }: { readonly limits?: object; readonly remote?: Partial<RemoteOptions> } = {}
) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const { url } = yield* Address
      const proxy = yield* proxyOf(url)
      yield* Effect.provide(body(proxy), layer({ url: proxy.url, ...remote }))
    }).pipe(Effect.scoped, Effect.provide(serving({ limits }))))

describe("a remote environment whose connections break", () => {
  it.live("does not wait for its manager when it closes after a job that has stopped by itself", () =>
    Effect.gen(function*() {
      const { url } = yield* Address
      const proxy = yield* proxyOf(url)
      yield* Effect.gen(function*() {
        const run = yield* Environment.submit(Sum, { numbers: [1] })
        yield* run.result
        proxy.isDown = true
        proxy.cut()
        // a close that waits for its manager takes twice the default silence, which is a minute
      }).pipe(Effect.provide(layer({ url: proxy.url })), Effect.timeout("30 seconds"))
    }).pipe(Effect.scoped, Effect.provide(serving())))

  through("emits each event once, wherever the connection breaks", (proxy) =>
    Effect.gen(function*() {
      latch.closeUnsafe()
      const run = yield* Environment.submit(Latched, {})
      const whole = yield* Effect.forkChild(eventsOf(run))
      const result = yield* Effect.forkChild(run.result)
      const { readers } = yield* Control
      for (let i = 1; i <= 5; i++) {
        yield* until(`reader ${i}`, () => readers.length >= i)
        proxy.cut()
      }
      proxy.isDown = true
      yield* proxy.reached(2)
      latch.openUnsafe()
      yield* resultOf(run.id)
      // from here on each connection breaks within an event, a little later each time
      const before = proxy.connections
      proxy.cutAfter = (connection) => 220 + 40 * (connection - before)
      proxy.isDown = false
      const events = yield* Fiber.join(whole)
      const { exit } = yield* Fiber.join(result)
      assert.deepStrictEqual(exit, Exit.succeed("opened"))
      assert.isAbove(proxy.connections, before + 2)
      const { url: direct } = yield* Address
      const reference = yield* Effect.promise(async () => (await fetch(`${direct}/jobs/${run.id}/events`)).text())
      const expected = [...reference.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json ?? ""))
      assert.deepStrictEqual(events, expected)
      assert.isTrue(readers.some((after) => after > 0), "no reader resumed")
    }))

  through("treats a silent connection as lost", (proxy) =>
    Effect.gen(function*() {
      latch.closeUnsafe()
      const run = yield* Environment.submit(Latched, {})
      const result = yield* Effect.forkChild(run.result)
      yield* eventOf(run, "RunStarted")
      const { sent } = proxy
      yield* until("some heartbeats have come", () => proxy.sent >= sent + 8)
      // they alone keep it
      assert.strictEqual((yield* Control).readers.length, 1)
      proxy.isSilent = true
      latch.openUnsafe()
      yield* proxy.reached(1)
      proxy.isSilent = false
      assert.deepStrictEqual((yield* Fiber.join(result)).exit, Exit.succeed("opened"))
    }), { remote: { silence: "400 millis" }, limits: { heartbeatMs: 100 } })

  through("submits one job, however often it has to retry", (proxy) =>
    Effect.gen(function*() {
      // the answer to the first submit is lost
      proxy.cutAfter = () => 10
      const submitting = yield* Effect.forkChild(Environment.run(Sum, { numbers: [2] }))
      // the second may be lost as well, the third is not
      yield* until("it has asked again", () => proxy.connections >= 2)
      proxy.cutAfter = () => Infinity
      assert.deepStrictEqual(yield* Fiber.join(submitting), { sum: 2n })
      const { submissions } = yield* Control
      assert.isAbove(submissions.length, 1)
      assert.strictEqual(new Set(submissions.map(({ id }) => id)).size, 1)
      const { list } = yield* Manager
      assert.strictEqual((yield* list({ limit: 10 })).length, 1)
    }))

  through(
    "leaves no job behind if it is interrupted before its submit is answered",
    (proxy) =>
      Effect.gen(function*() {
        proxy.cutAfter = () => 0
        const submitting = yield* Effect.forkChild(Environment.run(Endless, {}, { id: "lost" }))
        const { submissions } = yield* Control
        yield* until("it was submitted", () => submissions.length > 0)
        proxy.cutAfter = () => Infinity
        yield* Fiber.interrupt(submitting)
        assert.strictEqual((yield* resultOf("lost")).report.trigger, "stopped")
      })
  )

  it.live("waits for a manager that cannot be reached, except when it closes", () =>
    Effect.gen(function*() {
      const { url } = yield* Address
      const proxy = yield* proxyOf(url)
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer({ url: proxy.url, silence: "300 millis" }), scope)
      const run = yield* Effect.provideContext(Environment.submit(Endless, {}, { id: "left" }), context)
      proxy.isDown = true
      proxy.cut()
      const stopping = yield* Effect.forkChild(run.stop())
      yield* proxy.reached(2)
      assert.isUndefined(stopping.pollUnsafe())
      yield* Effect.timeout(Scope.close(scope, Exit.void), "30 seconds")
      assert.strictEqual(yield* stateOf("left"), "running")
    }).pipe(Effect.scoped, Effect.provide(serving())))

  through("retries a stop that did not reach the manager", (proxy) =>
    Effect.gen(function*() {
      const run = yield* Environment.submit(Endless, {})
      proxy.isDown = true
      proxy.cut()
      const stopping = yield* Effect.forkChild(run.stop({ reason: "enough" }))
      yield* proxy.reached(2)
      proxy.isDown = false
      yield* Fiber.join(stopping)
      assert.strictEqual((yield* run.result).report.reason, "enough")
    }))
})
