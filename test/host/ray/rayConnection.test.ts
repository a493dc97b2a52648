import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { RayConnection } from "../../../src/host/ray/rayConnection.ts"
import { type KeyedConnection, receive } from "../../../src/host/ray/keyedConnection.ts"
import { realClock } from "../../../src/base/clock.ts"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"

const key = randomBytes(32)

const opened = (latch: OneShotLatch) => new Promise<void>((resolve) => latch.onOpen(resolve))

/** A connection with an actor that Ray always says is DEAD, and with the guard that takes its connections. */
const connect = async (take: (socket: Socket) => void, clock = realClock) => {
  const server = createServer(take).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const job = {
    limitMs: 1_000,
    lost: new OneShotLatch(),
    stopped: new OneShotLatch(),
    lacks: Effect.succeed(""),
    create: () => Effect.succeed({ key, guard: { host: "127.0.0.1", port, actorId: "a", nodeId: "n" } }),
    kill: () => {},
    isDead: () => Effect.void
  }
  const fork = Effect.runForkWith(Context.make(Clock.Clock, clock))
  const connection = new RayConnection({ job, name: "replica-1", killMs: 100, fork, onBytes: () => {} })
  return { connection, job, [Symbol.dispose]: () => void server.close() }
}

/** A guard that behaves as a test says once it has both connections. */
const guardOf = (onBoth: (guard: KeyedConnection, data: Socket) => void) => {
  let guard: KeyedConnection | undefined
  return (socket: Socket) =>
    receive(socket, key, (peer, role) => {
      if (role === "guard") guard = peer
      else if (guard !== undefined) onBoth(guard, peer.release())
    })
}

describe("a connection with a Ray actor", () => {
  it("does not report its process as gone if its guard could not see that", async () => {
    using connected = await connect(guardOf((guard, data) => {
      guard.listen(({ kill }) => {
        if (typeof kill === "number") guard.say({ killed: { gone: true, how: "SIGKILL", durationMs: 1 } })
      })
      guard.say({ pid: 1 })
      guard.say({ how: "its process exited with code 0", gone: false })
      guard.say({ actorGone: true })
      data.end()
    }))
    const { connection } = connected
    await opened(connection.exited)
    assert.isFalse(await Effect.runPromise(connection.verify(50)))
    assert.isFalse(connection.actor?.killSuccess)
    // a kill sees it
    assert.isTrue((await Effect.runPromise(connection.kill(1_000))).gone)
    assert.isTrue(connection.actor?.killSuccess)
    connection.close()
  })

  it("is killed without a limit, too", async () => {
    const started = new OneShotLatch()
    using connected = await connect(guardOf((guard) => {
      guard.listen(({ kill }) => {
        if (typeof kill !== "number") return
        guard.say({ killed: { gone: true, how: "SIGTERM", durationMs: 1 } })
        guard.say({ actorGone: true })
      })
      guard.say({ pid: 1 })
      started.open()
    }))
    await opened(started)
    const { how, gone } = await Effect.runPromise(connected.connection.kill(Infinity))
    assert.deepStrictEqual({ how, gone }, { how: "SIGTERM", gone: true })
    connected.connection.close()
  })

  it("that was killed before its sockets were connected keeps none", async () => {
    const come = new OneShotLatch()
    const go = new OneShotLatch()
    const left = new OneShotLatch()
    using connected = await connect((socket) => {
      come.open()
      socket.once("close", () => left.open())
      go.onOpen(() => receive(socket, key, () => assert.fail("it was taken")))
    })
    await opened(come)
    await Effect.runPromise(connected.connection.kill(10))
    go.open()
    await opened(left)
  })

  it.effect("waits for a host whose driver is lost for its limit and 3 s more", () =>
    Effect.gen(function*() {
      const open = new OneShotLatch()
      const asked = new OneShotLatch()
      const take = guardOf((guard, data) => {
        guard.listen(({ stop }) => {
          if (stop === true) asked.open()
        })
        guard.say({ pid: 7 })
        data.once("data", () => open.open()).resume()
      })
      const clock = yield* Clock.Clock
      const { connection, job } = yield* Effect.acquireRelease(
        Effect.promise(() => connect(take, clock)),
        (connected) => Effect.sync(() => connected[Symbol.dispose]())
      )
      connection.send(Buffer.from("hello"))
      yield* open.await
      job.lost.open()
      yield* asked.await
      yield* TestClock.adjust(3_999)
      assert.isFalse(connection.exited.isOpen)
      yield* TestClock.adjust(1)
      assert.isTrue(connection.exited.isOpen)
      assert.strictEqual(connection.exit(), "the driver of its Ray job was lost")
      assert.strictEqual(connection.pid, 7)
      connection.close()
    }))

  it.effect("asks each second what the cluster lacks for an actor, until there is one or it is killed", () =>
    Effect.gen(function*() {
      let asked = 0
      const job = {
        limitMs: 1_000,
        lost: new OneShotLatch(),
        stopped: new OneShotLatch(),
        lacks: Effect.sync(() => `; it lacks ${++asked} GPUs`),
        create: () => Effect.never,
        kill: () => {},
        isDead: () => Effect.never
      }
      const fork = Effect.runForkWith(Context.make(Clock.Clock, yield* Clock.Clock))
      const connection = new RayConnection({ job, name: "replica-1", killMs: 100, fork, onBytes: () => {} })
      assert.strictEqual(connection.waitsFor(), "")
      yield* TestClock.adjust(999)
      assert.strictEqual(asked, 0)
      yield* TestClock.adjust(2_001)
      assert.strictEqual(connection.waitsFor(), "; it lacks 3 GPUs")
      assert.deepInclude(yield* connection.kill(1_000), { gone: true, how: "nothing to kill" })
      assert.isTrue(connection.exited.isOpen)
      yield* TestClock.adjust(10_000)
      assert.strictEqual(asked, 3)
    }))
})
