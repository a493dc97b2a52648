import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { Address } from "../../../src/manager/http/server.ts"
import { ask, serving } from "../../support/serving.ts"

const token = "reader of this manager"
const tokens = [{ token, role: "read" }] as const
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })

describe("the page that shows the API", () => {
  it.live("is shown to a browser whose user gives the token as the password, which opens nothing else", () =>
    Effect.gen(function*() {
      for (const name of ["", "me", "Zoë"]) {
        const page = yield* ask("GET", "/docs", undefined, basic(`${name}:${token}`))
        assert.strictEqual(page.status, 200)
      }
      for (const wrong of ["", ":", token, `me:${token}x`, `:me:${token}`, `${token}:`]) {
        if (wrong === token) continue
        assert.strictEqual((yield* ask("GET", "/docs", undefined, basic(wrong))).status, 401, wrong)
      }
      assert.strictEqual((yield* ask("GET", "/jobs", undefined, basic(`me:${token}`))).status, 401)
    }).pipe(Effect.provide(serving({ tokens }))))

  it.live("runs no script but its own, and loads nothing from elsewhere", () =>
    Effect.gen(function*() {
      const { headers, text } = yield* ask("GET", "/docs")
      const policy = Object.fromEntries(
        (headers.get("content-security-policy") ?? "").split("; ").map((rule) => {
          const [name = "", ...sources] = rule.split(" ")
          return [name, sources]
        })
      )
      const scripts = [...text.matchAll(/<script[^>]*>([^]*?)<\/script>/g)]
      assert.isAbove(scripts.length, 1)
      assert.deepStrictEqual(
        policy["script-src"],
        scripts.map(([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`)
      )
      assert.deepStrictEqual(policy["default-src"], ["'none'"])
      assert.deepStrictEqual(policy["connect-src"], ["'self'"])
      for (const sources of Object.values(policy)) {
        for (const source of sources) assert.match(source, /^'(none|self|unsafe-inline|sha256-.*)'$|^data:$/)
      }
      assert.include(text, "\"withDefaultFonts\":false")
      assert.notMatch(text, /<(script|link|img)[^>]* (src|href)=/)
    }).pipe(Effect.provide(serving())))

  it.live("is one copy for all readers that do not read", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      yield* ask("GET", "/docs")
      const used = () => {
        const { arrayBuffers, external, heapUsed } = process.memoryUsage()
        return heapUsed + external + arrayBuffers
      }
      const before = used()
      const sockets = yield* Effect.promise(() => Promise.all(Array.from({ length: 100 }, () => unread(port))))
      // a copy for each is hundreds of megabytes; what this process reads for its sockets counts, too
      assert.isBelow(used() - before, 100 * 1024 * 1024)
      for (const socket of sockets) socket.destroy()
    }).pipe(Effect.provide(serving())))

  it.live("is not held for ever by a reader that does not read", () =>
    Effect.gen(function*() {
      const { port, url } = yield* Address
      const socket = yield* Effect.promise(() => unread(port))
      // there is room for one connection alone: another reader comes in once the first one is closed
      yield* Effect.retry(Effect.tryPromise(() => fetch(`${url}/health/live`)), { schedule: Schedule.spaced(50) })
      socket.destroy()
    }).pipe(Effect.provide(serving({ limits: { writeMs: 300, connections: 1 } }))))
})

/** Asks for more pages than the system buffers for a connection, and reads nothing of them but the beginning. */
const unread = async (port: number): Promise<Socket> => {
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  await once(socket, "connect")
  socket.write("GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(5))
  await once(socket, "readable")
  return socket
}
