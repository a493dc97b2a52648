import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"
import { HttpClient } from "../../../src/host/ray/httpClient.ts"

/** A client of a server that answers as a test says, until the scope closes. */
const clientOf = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(answer).listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      return new HttpClient(new URL(`http://127.0.0.1:${port}`), undefined)
    })
  )

/** Calls the listener when a client of this process has received a part of an answer. */
const onClientData = (listener: () => void) => {
  // safe: this is what Node publishes
  const onResponse = (message: unknown) => void (message as { response: IncomingMessage }).response.on("data", listener)
  return Effect.acquireRelease(
    Effect.sync(() => subscribe("http.client.response.finish", onResponse)),
    () => Effect.sync(() => void unsubscribe("http.client.response.finish", onResponse))
  )
}

const get = { method: "GET", path: "/" }

describe("a client of the API of a cluster", () => {
  it.effect("gives up a request that nothing was heard of for 30 s, and closes its connection", () =>
    Effect.gen(function*() {
      const come = new OneShotLatch()
      const left = new OneShotLatch()
      const client = yield* clientOf(({ socket }) => {
        socket.once("close", () => left.open())
        come.open()
      })
      const asking = yield* Effect.forkChild(Effect.flip(client.request(get)), { startImmediately: true })
      yield* come.await
      yield* TestClock.adjust(29_999)
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(asking), "no answer within 30000 ms")
      yield* left.await
      client.close()
    }))

  it.effect("waits longer for an answer that comes bit by bit", () =>
    Effect.gen(function*() {
      let answer: ServerResponse | undefined
      let heard = new OneShotLatch()
      yield* onClientData(() => heard.open())
      const come = new OneShotLatch()
      const client = yield* clientOf((_, response) => {
        answer = response
        come.open()
      })
      const asking = yield* Effect.forkChild(client.request(get), { startImmediately: true })
      yield* come.await
      for (let bit = 0; bit < 5; bit++) {
        heard = new OneShotLatch()
        answer?.write("a")
        yield* heard.await
        yield* TestClock.adjust(29_000)
        assert.isUndefined(asking.pollUnsafe())
      }
      answer?.end()
      assert.deepStrictEqual(yield* Fiber.join(asking), { status: 200, text: "aaaaa" })
      client.close()
    }))

  it.effect("sends a body of several parts as it is", () =>
    Effect.gen(function*() {
      const client = yield* clientOf((request, response) => {
        let length = 0
        request.on("data", (part: Buffer) => length += part.length)
        request.on("end", () => response.end(`${length} of ${request.headers["content-length"]}`))
      })
      const body = new Uint8Array(1_000_000)
      const { text } = yield* client.request({ method: "PUT", path: "/", body })
      assert.strictEqual(text, "1000000 of 1000000")
      client.close()
    }))
})
