import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"
import { dial } from "../../../src/host/ray/dial.ts"
import { receive } from "../../../src/host/ray/keyedConnection.ts"

const key = randomBytes(32)

/** The address of a server that takes its clients as a test says, until the scope closes. */
const serve = (take: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(take).listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => {
    const address = server.address()
    return { host: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 }
  }))

/** An end that takes a connection and says nothing. Its latches open when the client has come, and when it has left. */
const silent = Effect.gen(function*() {
  const come = new OneShotLatch()
  const left = new OneShotLatch()
  const address = yield* serve((socket) => {
    socket.resume().once("close", () => left.open())
    come.open()
  })
  return { address, come, left }
})

describe("a client of a Ray cluster", () => {
  it.effect("gives up, and closes its socket, if the other end says nothing for 10 s", () =>
    Effect.gen(function*() {
      const { address, come, left } = yield* silent
      const dialing = yield* Effect.forkChild(
        Effect.flip(dial(address, key, "guard", () => assert.fail("it was taken"))),
        {
          startImmediately: true
        }
      )
      yield* come.await
      yield* TestClock.adjust(9_999)
      assert.isUndefined(dialing.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.include((yield* Fiber.join(dialing)).message, "did not answer within 10000 ms")
      yield* left.await
    }))

  it.effect("closes its socket if it is interrupted", () =>
    Effect.gen(function*() {
      const { address, come, left } = yield* silent
      const dialing = yield* Effect.forkChild(dial(address, key, "guard", () => assert.fail("it was taken")), {
        startImmediately: true
      })
      yield* come.await
      yield* Fiber.interrupt(dialing)
      yield* left.await
    }))

  it.effect("misses no message that follows the proof in the same packet", () =>
    Effect.gen(function*() {
      const address = yield* serve((socket) =>
        receive(socket, key, (connection) => {
          connection.say({ number: 1 })
          connection.say({ number: 2 })
        })
      )
      const heard: Array<unknown> = []
      const both = new OneShotLatch()
      const connection = yield* dial(address, key, "driver", (connection) => {
        connection.listen(({ number }) => {
          if (heard.push(number) === 2) both.open()
        })
        return connection
      })
      yield* both.await
      assert.deepStrictEqual(heard, [1, 2])
      connection.socket.destroy()
    }))
})
