import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { Address } from "../../src/manager/server.ts"
import { ask, serving } from "../support/managed.ts"

/** What a server answers to bytes, until it closes the connection. */
const talk = (port: number, ...pieces: ReadonlyArray<string>) =>
  Effect.promise(() =>
    new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1")
      let answer = ""
      socket.on("data", (chunk: Buffer) => answer += chunk.toString("latin1"))
      socket.on("error", () => {})
      socket.on("close", () => resolve(answer))
      for (const piece of pieces) socket.write(piece, "latin1")
    })
  )

const opened = (port: number) =>
  Effect.promise(async () => {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => {})
    await once(socket, "connect")
    return socket
  })

/** Whether the other side closes it within a second. */
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

describe("the limits of a job manager's server", () => {
  it.live("refuses a body that is too large, also one of no declared size", () =>
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

  it.live("closes connections beyond so many, and answers the others", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      const sockets = yield* Effect.forEach(Array.from({ length: 8 }), () => opened(port))
      const closed = yield* Effect.forEach(sockets, isClosed, { concurrency: "unbounded" })
      assert.strictEqual(closed.filter((closed) => closed).length, 4)
      for (const socket of sockets) socket.destroy()
      yield* Effect.sleep("50 millis")
      assert.strictEqual((yield* ask("GET", "/jobs")).status, 200)
    }).pipe(Effect.provide(serving({ limits: { connections: 4 } }))))

  it.live("answers 1,000 malformed requests, none of them with a fault of its own", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      let seed = 7
      const random = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n
      const pick = <A>(values: readonly [A, ...Array<A>]): A => values[random(values.length)] ?? values[0]
      const noise = (length: number) => Array.from({ length }, () => String.fromCharCode(33 + random(94))).join("")
      const bodies = () =>
        pick([
          "",
          "{",
          "null",
          "[]",
          "\"x\"",
          "1e999",
          "{\"job\":null}",
          "{\"job\":\"sum\",\"payload\":[]}",
          "\u0000\u00ff\u00fe",
          "{\"job\":\"sum\",\"id\":\"../../x\"}",
          "{\"mode\":\"never\"}",
          "{\"before\":7}",
          "{\"before\":\"soon\"}",
          `{"__proto__":{"job":"sum"},"id":"${noise(9).replace(/["\\]/g, "")}"}`,
          "[".repeat(5_000),
          noise(random(300)),
          "{\"job\":\"sum\",\"leaseMs\":-1}",
          "{\"job\":\"sum\",\"autostop\":{\"idle\":\"x\"}}"
        ])
      const paths = () =>
        pick([
          "/jobs",
          "/jobs/",
          "/jobs/%",
          "/jobs/%00",
          "/jobs/%ff%fe",
          "/jobs/..%2f..%2fetc",
          `/jobs/${noise(5)}`,
          "//",
          "/",
          "/jobs/x/events?after=x",
          "/jobs/x/events?after=1&after=2",
          "/jobs/x/logs?follow=maybe",
          "/jobs?limit=1e9",
          "*",
          "/jobs?limit=-1",
          "/jobs?state=gone",
          "/jobs?before=%E0%A4%A",
          "/jobs/clean",
          "/jobs/x/stop",
          "/jobs/x/lease",
          `/${noise(random(200))}`,
          "http://[",
          "/jobs/x?force=7",
          "/jobs/__proto__",
          "/jobs/constructor/result",
          "/docs/x"
        ])
      const headers = () =>
        pick([
          "",
          "Content-Type: text/plain\r\n",
          "Content-Type: application/json\r\n",
          `Content-Type: ${noise(20)}\r\n`,
          "Content-Type: multipart/form-data\r\n",
          "Last-Event-ID: x\r\n",
          "Last-Event-ID: -1\r\n",
          "Authorization: x\r\n",
          `Authorization: Bearer ${noise(30)}\r\n`,
          "Expect: 100-continue\r\n",
          "Expect: x\r\n",
          "Upgrade: x\r\nConnection: upgrade\r\n",
          "Content-Encoding: gzip\r\n",
          "Transfer-Encoding: chunked\r\n",
          "Range: x\r\n",
          "Cookie: =;=\r\n",
          `${noise(8)}: x\r\n`
        ])
      const methods = [
        "GET",
        "POST",
        "DELETE",
        "PUT",
        "PATCH",
        "HEAD",
        "OPTIONS",
        "TRACE",
        "PROPFIND",
        "BREW",
        "get",
        ""
      ] as const
      const counts = new Map<string, number>()
      const one = Effect.gen(function*() {
        const body = bodies()
        const method = pick(methods)
        const text = `${method} ${paths()} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers()}` +
          `Content-Length: ${body.length}\r\n\r\n${body}`
        const answer = yield* talk(port, text)
        const status = /^HTTP\/1\.1 (\d{3})/.exec(answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""))?.[1] ?? "none"
        counts.set(status, (counts.get(status) ?? 0) + 1)
        assert.isFalse(status.startsWith("5"), `${status}: ${text.slice(0, 300)}`)
      })
      yield* Effect.all(Array.from({ length: 1_000 }, () => one), { concurrency: 20 })
      assert.isAbove(counts.get("400") ?? 0, 100)
      assert.isBelow(counts.get("none") ?? 0, 100, JSON.stringify([...counts]))
      assert.strictEqual((yield* ask("GET", "/health/live")).status, 204)
    }).pipe(Effect.provide(serving({ limits: { headersMs: 500, requestMs: 500 } }))))

  it.live("stops at once, whatever is connected to it, and its streams end", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(serving({ limits: { graceMs: 500 } }), scope)
      const { port, url } = Context.get(context, Address)
      const asked = (...args: Parameters<typeof ask>) => Effect.provideContext(ask(...args), context)
      yield* asked("POST", "/jobs", { job: "endless", id: "e" })
      const streams = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.forkChild(asked("GET", "/jobs/e/events"))
      )
      const idle = yield* opened(port)
      const half = yield* opened(port)
      half.write("POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
      yield* Effect.sleep("100 millis")
      const start = Date.now()
      yield* Scope.close(scope, Exit.void)
      // the job that runs is stopped with the manager, after its server
      assert.isBelow(Date.now() - start, 2_000)
      for (const stream of streams) {
        const { text } = yield* Fiber.join(stream)
        assert.include(text, "JobSubmitted")
        assert.notInclude(text, "failure")
      }
      assert.isTrue((yield* isClosed(idle)) && (yield* isClosed(half)))
      const refused = yield* Effect.exit(Effect.tryPromise(() => fetch(url)))
      assert.isTrue(Exit.isFailure(refused))
    }))
})
