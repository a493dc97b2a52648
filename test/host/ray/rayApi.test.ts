import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { RayApi } from "../../../src/host/ray/rayApi.ts"
import { RayTransport } from "../../../src/host/ray/rayTransport.ts"
import type { RaySettings } from "../../../src/host/raySettings.ts"
import { raySettingsOf } from "../../support/raySettings.ts"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"

const opened = (latch: OneShotLatch) => new Promise<void>((resolve) => latch.onOpen(resolve))

/** The API of a cluster that answers as a test says, and the settings of its address. */
const api = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
  const server = createServer(answer).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const settings = raySettingsOf(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`)
  return {
    settings,
    [Symbol.dispose]: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

const transportOf = (settings: RaySettings) =>
  new RayTransport(settings, { service: "test/Lean", releaseMs: 1_000, killMs: 100 })

describe("the API of a cluster", () => {
  it("is asked again if it has closed an idle connection meanwhile", async () => {
    const used = new Set<Socket>()
    using server = await api(({ socket }, response) => {
      if (used.has(socket)) return void socket.resetAndDestroy()
      used.add(socket)
      response.end("{}")
    })
    const cluster = new RayApi(server.settings)
    assert.isTrue(await Effect.runPromise(cluster.hasJob("one")))
    assert.isTrue(await Effect.runPromise(cluster.hasJob("two")))
    assert.strictEqual(used.size, 2)
    cluster.close()
  })

  it("may have a password in its address, which no error shows", async () => {
    const error = await Effect.runPromise(
      Effect.flip(new RayApi(raySettingsOf("http://ada:secret@127.0.0.1:9")).hasJob("one"))
    )
    assert.include(error.message, "Ray could not be reached at http://127.0.0.1:9 (ray.address)")
  })
})

describe("a Ray job", () => {
  it("is left over if there was no time to see its end", async () => {
    const submitted = new OneShotLatch()
    using server = await api(({ method, url }, response) => {
      if (method === "POST" && url === "/api/jobs/") submitted.open()
      // it says nothing more
      else if (!submitted.isOpen) response.end()
    })
    const transport = transportOf(server.settings)
    transport.open(() => {})
    await opened(submitted)
    await Effect.runPromise(transport.end(0))
    assert.match(
      transport.leftovers().map(({ detail }) => detail).join(),
      /^the Ray job autostop-test-Lean-\w+ was not seen to end/
    )
  })

  it("is not left over if the cluster refused it", async () => {
    using server = await api(({ method, url }, response) => {
      if (url?.startsWith("/api/packages/") === true) return void response.end()
      response.writeHead(method === "POST" ? 500 : 404).end("it is not to be")
    })
    const transport = transportOf(server.settings)
    const connection = transport.open(() => {})
    await opened(connection.exited)
    assert.include(connection.exit(), "answered POST /api/jobs/ with 500: it is not to be")
    await Effect.runPromise(transport.end(5_000))
    assert.deepStrictEqual(transport.leftovers(), [])
  })

  it.effect("is looked at by the real clock, even if its owner has a TestClock that nobody moves", () =>
    Effect.gen(function*() {
      let looks = 0
      const server = yield* Effect.acquireRelease(
        Effect.promise(() =>
          api(({ url }, response) => {
            if (url?.endsWith("/logs") === true) looks++
            response.end(JSON.stringify({ status: looks < 3 ? "RUNNING" : "FAILED" }))
          })
        ),
        (server) => Effect.sync(() => server[Symbol.dispose]())
      )
      const transport = transportOf(server.settings)
      const connection = transport.open(() => {})
      yield* connection.exited.await
      assert.include(connection.exit(), "is FAILED")
      assert.isAtLeast(looks, 3)
      yield* transport.end(0)
    }))
})
