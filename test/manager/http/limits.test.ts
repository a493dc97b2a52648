import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { Address } from "../../../src/manager/http/server.ts"
import { ask, serving, talk } from "../../support/serving.ts"

const opened = (port: number) =>
  Effect.promise(async () => {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => {})
    await once(socket, "connect")
    return socket
  })

/** Returns true if the server closes the connection within a second. */
const isClosed = (socket: Socket) =>
  Effect.promise(() =>
    new Promise<boolean>((resolve) => {
      if (socket.destroyed) return resolve(true)
      const timer = setTimeout(() => resolve(false), 1_000)
      socket.resume().on("close", () => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  )

/** Opens a stream and reads its first event. Returns an effect that reads the rest. */
const begun = (url: string) =>
  Effect.promise(async () => {
    const { body } = await fetch(url)
    const reader = (body ?? assert.fail("there is no stream")).pipeThrough(new TextDecoderStream()).getReader()
    let text = ""
    while (!text.includes("JobSubmitted")) text += (await reader.read()).value ?? assert.fail(`it ended: ${text}`)
    return Effect.promise(async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
      return text
    })
  })

describe("the limits of a job manager's server", () => {
  it.live("refuses a body that is too large, also one without a declared size", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      const large = JSON.stringify({ job: "sum", payload: "x".repeat(1024 * 1024) })
      assert.strictEqual((yield* ask("POST", "/jobs", large)).status, 413)
      const size = large.length.toString(16)
      const chunked = yield* talk(
        port,
        "POST /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        `${size}\r\n${large}\r\n0\r\n\r\n`
      )
      assert.match(chunked, /^HTTP\/1\.1 413/)
      assert.strictEqual((yield* ask("GET", "/jobs")).status, 200)
    }).pipe(Effect.provide(serving({ limits: { requestMs: 2_000 } }))))

  it.live("refuses headers that are too large, and clients that take too long to send them", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      const large = yield* talk(port, `GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`)
      assert.match(large, /^HTTP\/1\.1 431/)
      assert.match(yield* talk(port, "GET /jobs HTTP/1.1\r\nHost: localhost\r\n"), /^HTTP\/1\.1 408/)
      const slowBody = "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
      assert.match(yield* talk(port, slowBody), /^HTTP\/1\.1 408/)
    }).pipe(Effect.provide(serving({ limits: { headersMs: 300, requestMs: 600 } }))))

  it.live("closes connections beyond the limit, and answers the others", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      const sockets = yield* Effect.forEach(Array.from({ length: 8 }), () => opened(port))
      const closed = yield* Effect.forEach(sockets, isClosed, { concurrency: "unbounded" })
      assert.strictEqual(closed.filter((closed) => closed).length, 4)
      for (const socket of sockets) socket.destroy()
      yield* Effect.sleep("50 millis")
      assert.strictEqual((yield* ask("GET", "/jobs")).status, 200)
    }).pipe(Effect.provide(serving({ limits: { connections: 4, keptFree: 0 } }))))

  it.live("does not wait for streams or idle connections when it stops", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(serving({ limits: { graceMs: 500 } }), scope)
      const { port, url } = Context.get(context, Address)
      const asked = (...args: Parameters<typeof ask>) => Effect.provideContext(ask(...args), context)
      yield* asked("POST", "/jobs", { job: "endless", id: "e" })
      const streams = yield* Effect.forEach(Array.from({ length: 20 }), () => begun(`${url}/jobs/e/events`))
      const idle = yield* opened(port)
      const half = yield* opened(port)
      half.write("POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
      yield* Effect.sleep("100 millis")
      // a server that waits for its streams never closes, because their job runs until its manager is stopped
      yield* Effect.timeout(Scope.close(scope, Exit.void), "30 seconds")
      for (const stream of streams) {
        assert.notInclude(yield* stream, "failure")
      }
      assert.isTrue((yield* isClosed(idle)) && (yield* isClosed(half)))
      const refused = yield* Effect.exit(Effect.tryPromise(() => fetch(url)))
      assert.isTrue(Exit.isFailure(refused))
    }))
})
