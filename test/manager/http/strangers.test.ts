import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { once } from "node:events"
import { request } from "node:http"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { Address } from "../../../src/manager/http/server.ts"
import { ask, serving } from "../../support/serving.ts"

const token = "operator of this manager"
const tokens = [{ token, role: "operate" }] as const
const headers = { authorization: `Bearer ${token}` }

const opened = async (port: number) => {
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  await once(socket, "connect")
  return socket
}

const statusOnNewConnection = (url: string) =>
  new Promise<number | undefined>((resolve, reject) =>
    void request(url, { headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on("error", reject).end()
  )

describe("clients without a token", () => {
  it.live("take no connection from those that have shown one", () =>
    Effect.gen(function*() {
      const { port, url } = yield* Address
      // this connection stays open while strangers come
      const feed = yield* Effect.promise(() => fetch(`${url}/changes`, { headers }))
      const sockets = []
      for (let i = 0; i < 60; i++) {
        sockets.push(yield* Effect.promise(() => opened(port)))
        if (i % 10 !== 9) continue
        assert.strictEqual(yield* Effect.promise(() => statusOnNewConnection(`${url}/jobs`)), 200)
      }
      const reader = (feed.body ?? assert.fail("there is no feed")).getReader()
      assert.isFalse((yield* Effect.promise(() => reader.read())).done)
      yield* Effect.promise(() => reader.cancel())
      for (const socket of sockets) socket.destroy()
    }).pipe(Effect.provide(serving({ tokens, limits: { connections: 20, heartbeatMs: 50 } }))))

  it.live("are not those who open many connections at once, and speak later", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      const sockets = yield* Effect.promise(() => Promise.all(Array.from({ length: 60 }, () => opened(port))))
      const answers = yield* Effect.promise(() =>
        Promise.all(sockets.map(async (socket) => {
          const said = text(socket)
          socket.write(
            `GET /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`
          )
          return (await said).slice(0, 12)
        }))
      )
      assert.deepStrictEqual(new Set(answers), new Set(["HTTP/1.1 200"]))
    }).pipe(Effect.provide(serving({ tokens, limits: { connections: 64 } }))))

  it.live("guess tokens slowly, although at once, while others are answered", () =>
    Effect.gen(function*() {
      const start = yield* Clock.currentTimeMillis
      const guesses = yield* Effect.forkChild(Effect.all(
        Array.from({ length: 10 }, (_, i) => ask("GET", "/jobs", undefined, { authorization: `Bearer ${i}${token}` })),
        { concurrency: "unbounded" }
      ))
      let answered = 0
      while (guesses.pollUnsafe() === undefined) {
        assert.strictEqual((yield* ask("GET", "/jobs", undefined, headers)).status, 200)
        answered++
      }
      const answers = yield* Fiber.await(guesses)
      assert.isTrue(answers._tag === "Success" && answers.value.every(({ status }) => status === 401))
      // the pause between answers is the behaviour: ten of them take at least ten pauses
      assert.isAtLeast((yield* Clock.currentTimeMillis) - start, 10 * 200)
      assert.isAbove(answered, 3)
    }).pipe(Effect.provide(serving({ tokens }))))
})
