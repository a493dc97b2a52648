import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect } from "node:net"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { dial as dialEffect } from "../../../src/host/ray/dial.ts"
import type { Address, KeyedConnection, Role } from "../../../src/host/ray/keyedConnection.ts"
import { entries } from "../../../src/host/entryPoints.ts"

const key = randomBytes(32)

const dial = (address: Address, key: Uint8Array, role: Role): Promise<KeyedConnection> =>
  Effect.runPromise(dialEffect(address, key, role, (connection) => connection))

/** A guard whose actor is this process, and its messages to the actor. */
const guarding = async () => {
  const child = spawn(process.execPath, [fileURLToPath(entries.rayGuard)], { stdio: ["pipe", "pipe", "inherit"] })
  const ended = once(child, "exit")
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async () => {
    const line = await lines.next()
    return line.done === true ? undefined : JSON.parse(line.value)
  }
  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`)
  say({ key: key.toString("hex"), host: "127.0.0.1", limitMs: 1_000 })
  const { port } = await next()
  const end = async () => {
    child.stdin.end()
    assert.deepStrictEqual(await ended, [0, null])
  }
  return { address: { host: "127.0.0.1", port }, say, next, end }
}

describe("a guard that has started no host", () => {
  it("takes its owner although strangers hold connections, and closes the oldest of these", async () => {
    const { address, end } = await guarding()
    const strangers = await Promise.all(Array.from({ length: 40 }, async () => {
      const socket = connect(address).on("error", () => {}).resume()
      await once(socket, "data")
      return socket
    }))
    await Promise.all(strangers.slice(0, 8).map((socket) => socket.closed || once(socket, "close")))
    const owner = await dial(address, key, "guard")
    assert.isFalse(owner.closed.isOpen)
    // those that have not been there for too long are not closed for that
    assert.deepStrictEqual(strangers.slice(9).filter(({ closed }) => closed), [])
    owner.socket.destroy()
    for (const socket of strangers) socket.destroy()
    await end()
  })

  it("reports so to its actor when it is asked to stop, and starts none after that", async () => {
    const { address, end, next, say } = await guarding()
    say({ stop: true })
    assert.deepStrictEqual(await next(), { gone: true })
    const owner = await dial(address, key, "guard")
    const data = (await dial(address, key, "data")).release()
    data.resume()
    if (!data.closed) await once(data, "close")
    owner.socket.destroy()
    await end()
  })

  it("reports so to its actor when its owner goes away", async () => {
    const { address, end, next } = await guarding()
    const owner = await dial(address, key, "guard")
    owner.socket.destroy()
    assert.deepStrictEqual(await next(), { gone: true })
    await end()
  })
})
