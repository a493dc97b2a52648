import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Host } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { eventOf, local, remotes } from "../../support/hosts.ts"
import { submit } from "../../support/jobs.ts"
import { Frail } from "../services/frail.ts"

describe.each(remotes)("a %s host that is stopped while it has a call", (host) => {
  /** A job, and the client of its service for callers outside of it. */
  const start = (timeout: Duration.Input) =>
    Effect.gen(function*() {
      const client = yield* Deferred.make<Frail["Service"]>()
      const run = Effect.flatMap(Frail, (frail) => Effect.andThen(Deferred.succeed(client, frail), Effect.never))
      const job = yield* submit(run, Host.layer(Frail, { host, stop: { timeout } }))
      return { job, client: yield* Deferred.await(client) }
    })

  it.live("lets the call end, and takes no more", () =>
    Effect.gen(function*() {
      const { client, job } = yield* start("10 seconds")
      const call = yield* Effect.forkChild(Effect.exit(client.slow({ ms: 300 })), { startImmediately: true })
      yield* client.who()
      yield* job.stop()
      yield* eventOf(job, "ServiceReleasing")
      const refused = yield* Effect.flip(client.who())
      assert.instanceOf(refused, Host.HostError)
      assert.strictEqual(refused.reason, "stopped")
      assert.isUndefined(call.pollUnsafe(), "the call ended before the stop")
      const exit = yield* Fiber.join(call)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertClean((yield* job.result).report)
    }).pipe(local))

  it.live("lets a stream end", () =>
    Effect.gen(function*() {
      const { client, job } = yield* start("10 seconds")
      const seen: Array<number> = []
      const stream = yield* client.three().pipe(
        Stream.tap((n) => Effect.sync(() => seen.push(n))),
        Stream.takeUntilEffect((n) => Effect.as(Effect.sleep("100 millis"), n === 3)),
        Stream.runDrain,
        (streaming) => Effect.forkChild(streaming, { startImmediately: true })
      )
      yield* client.who()
      yield* job.stop()
      yield* Fiber.join(stream)
      assert.deepStrictEqual(seen, [1, 2, 3])
      assertClean((yield* job.result).report)
    }).pipe(local))

  it.live("fails a call that takes too long, and is released in time", () =>
    Effect.gen(function*() {
      // a cluster needs time of its own to end an actor
      const { client, job } = yield* start(host === "ray" ? "10 seconds" : "2 seconds")
      const calls = [
        yield* Effect.forkChild(Effect.flip(client.hang()), { startImmediately: true }),
        yield* Effect.forkChild(Effect.flip(Stream.runDrain(client.three())), { startImmediately: true })
      ]
      yield* client.hanging({ calls: 1 })
      yield* job.stop()
      const { report } = yield* job.result
      assertClean(report)
      for (const call of calls) {
        const error = yield* Fiber.join(call)
        assert.instanceOf(error, Host.HostError)
        assert.strictEqual(error.reason, "stopped")
      }
    }).pipe(local))
})
