import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import type { RayJob } from "../../../src/host/ray/rayJob.ts"
import { RayConnection } from "../../../src/host/ray/rayConnection.ts"
import { type KeyedConnection, receive } from "../../../src/host/ray/keyedConnection.ts"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"

const key = randomBytes(32)

const opened = (latch: OneShotLatch) => new Promise<void>((resolve) => latch.onOpen(resolve))

/** A link to an actor that is DEAD as soon as it is asked for, and to the guard that takes its connections. */
const linked = async (take: (socket: Socket) => void) => {
  const server = createServer(take).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const job = {
    limitMs: 1_000,
    lost: new OneShotLatch(),
    stopped: new OneShotLatch(),
    create: async () => ({ key, guard: { host: "127.0.0.1", port, actorId: "a", nodeId: "n" } }),
    kill: () => {},
    isDead: async () => true
  }
  // safe: it is all that a link needs of it
  const link = new RayConnection(job as unknown as RayJob, "replica-1", 100, () => {})
  return { link, [Symbol.dispose]: () => void server.close() }
}

/** A guard that tells what it is asked to once it has both connections. */
const guardOf = (onBoth: (guard: KeyedConnection, data: Socket) => void) => {
  let guard: KeyedConnection | undefined
  return (socket: Socket) =>
    receive(socket, key, (peer, role) => {
      if (role === "guard") guard = peer
      else if (guard !== undefined) onBoth(guard, peer.release())
    })
}

describe("a link with a Ray actor", () => {
  it("does not say that its process is gone where its guard could not see that", async () => {
    using linking = await linked(guardOf((guard, data) => {
      guard.listen(({ kill }) => {
        if (typeof kill === "number") guard.say({ killed: { gone: true, how: "SIGKILL", durationMs: 1 } })
      })
      guard.say({ pid: 1 })
      guard.say({ how: "its process exited with code 0", gone: false })
      guard.say({ actorGone: true })
      data.end()
    }))
    const { link } = linking
    await opened(link.exited)
    assert.isFalse(await link.verify(50))
    assert.isFalse(link.actor?.killSuccess)
    // it is then
    assert.isTrue((await Effect.runPromise(link.kill(1_000))).gone)
    assert.isTrue(link.actor?.killSuccess)
    link.close()
  })

  it("is killed where there is no limit, too", async () => {
    const started = new OneShotLatch()
    using linking = await linked(guardOf((guard) => {
      guard.listen(({ kill }) => {
        if (typeof kill !== "number") return
        guard.say({ killed: { gone: true, how: "SIGTERM", durationMs: 1 } })
        guard.say({ actorGone: true })
      })
      guard.say({ pid: 1 })
      started.open()
    }))
    await opened(started)
    const { how, gone } = await Effect.runPromise(linking.link.kill(Infinity))
    assert.deepStrictEqual({ how, gone }, { how: "SIGTERM", gone: true })
    linking.link.close()
  })

  it("that was killed before its connections were made makes none", async () => {
    const come = new OneShotLatch()
    const go = new OneShotLatch()
    const left = new OneShotLatch()
    const roles: Array<unknown> = []
    using linking = await linked((socket) => {
      come.open()
      go.onOpen(() =>
        receive(socket, key, (peer, role) => {
          roles.push(role)
          peer.closed.onOpen(() => left.open())
        })
      )
    })
    await opened(come)
    await Effect.runPromise(linking.link.kill(10))
    go.open()
    await opened(left)
    assert.deepStrictEqual(roles, ["guard"])
  })
})
