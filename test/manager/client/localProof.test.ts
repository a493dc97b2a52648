import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isTransient } from "../../../src/manager/client/apiClient.ts"
import { withFoundToken } from "../../../src/manager/client/localProof.ts"
import { LocalToken } from "../../../src/manager/localToken.ts"

process.env["XDG_STATE_HOME"] = mkdtempSync(join(tmpdir(), "autostop-state-"))

/** A server with the token of a manager, which has to be published to be found. */
const startServer = Effect.acquireRelease(
  Effect.promise(async () => {
    const served = { token: new LocalToken(mkdtempSync(join(tmpdir(), "autostop-token-"))), url: "", asked: 0 }
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://127.0.0.1")
      if (pathname === "/health/proof") {
        response.end(JSON.stringify({ proof: served.token.prove(searchParams.get("nonce") ?? "") }))
        return
      }
      served.asked++
      response.writeHead(request.headers.authorization === `Bearer ${served.token.text}` ? 200 : 401).end("{}")
    })
    await once(server.listen(0, "127.0.0.1"), "listening")
    // safe: it listens on a port
    served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { server, served }
  }),
  ({ served, server }) =>
    Effect.sync(() => {
      served.token.remove()
      server.closeAllConnections()
      server.close()
    })
)

const clientOf = (url: string) => Effect.map(HttpClient.HttpClient, (http) => withFoundToken(http, url))

describe("a client that finds the token of a manager", () => {
  it.live("takes a refusal for no answer while the manager is stopped or started, and goes on with its next token", () =>
    Effect.gen(function*() {
      const { served } = yield* startServer
      const http = yield* clientOf(served.url)
      const status = Effect.map(http.get(`${served.url}/jobs`), ({ status }) => status)
      served.token.publish(served.url)
      assert.strictEqual(yield* status, 200)
      // it listens still, and its token is found no longer
      served.token.unpublish()
      const stopped = yield* Effect.flip(status)
      assert.isTrue(isTransient(stopped), stopped.message)
      assert.include(stopped.message, "is being stopped or started")
      // the next one listens, and its token is not found yet
      served.token = new LocalToken(mkdtempSync(join(tmpdir(), "autostop-token-")))
      assert.isTrue(isTransient(yield* Effect.flip(status)))
      served.token.publish(served.url)
      assert.strictEqual(yield* status, 200)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.live("is refused by a manager whose token it never found", () =>
    Effect.gen(function*() {
      const { served } = yield* startServer
      const http = yield* clientOf(served.url)
      assert.strictEqual((yield* http.get(`${served.url}/jobs`)).status, 401)
      assert.strictEqual(served.asked, 1)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.live("is refused by a manager that does not take the token that it has published", () =>
    Effect.gen(function*() {
      const { served } = yield* startServer
      const http = yield* clientOf(served.url)
      served.token.publish(served.url)
      const real = served.token
      assert.strictEqual((yield* http.get(`${served.url}/jobs`)).status, 200)
      Object.defineProperty(served, "token", {
        value: { ...real, text: "another", prove: () => "", remove: () => real.remove() }
      })
      assert.strictEqual((yield* http.get(`${served.url}/jobs`)).status, 401)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})
