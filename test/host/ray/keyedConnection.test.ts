import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { dial as dialEffect } from "../../../src/host/ray/dial.ts"
import {
  type Address,
  type KeyedConnection,
  type Message,
  receive,
  type Role
} from "../../../src/host/ray/keyedConnection.ts"

const key = randomBytes(32)

const dial = (address: Address, key: Uint8Array, role: Role): Promise<KeyedConnection> =>
  Effect.runPromise(dialEffect(address, key, role, (connection) => connection))

/** A server that accepts clients with the key, and its address. */
const serve = async (onConnection: (connection: KeyedConnection, role: unknown) => void) => {
  const server = createServer((socket) => receive(socket, key, onConnection))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { host: "127.0.0.1", port, [Symbol.dispose]: () => void server.close() }
}

const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => assert.fail("it was made"), (error: unknown) => String(error))

describe("a connection with a Ray cluster", () => {
  it("is made if both ends have the key, and carries messages both ways", async () => {
    using server = await serve((connection, role) =>
      connection.listen((message) => connection.say({ ...message, role }))
    )
    const connection = await dial(server, key, "guard")
    const answers: Array<Message> = []
    const all = new Promise<void>((resolve) =>
      connection.listen((message) => {
        if (answers.push(message) === 2) resolve()
      })
    )
    connection.say({ text: "ż 🦊 \n" })
    connection.say({ number: 2 })
    await all
    assert.deepStrictEqual(answers, [{ text: "ż 🦊 \n", role: "guard" }, { number: 2, role: "guard" }])
    connection.socket.destroy()
  })

  it("is closed if the client does not have the key", async () => {
    let taken = 0
    using server = await serve(() => void taken++)
    assert.include(await rejection(dial(server, randomBytes(32), "guard")), "closed the connection")
    assert.strictEqual(taken, 0)
  })

  it("is refused by the client if the server does not have the key", async () => {
    const answer = (socket: Socket) => {
      socket.write("{\"nonce\":\"00\"}\n")
      socket.once("data", () => socket.write("{\"mac\":\"00\"}\n"))
    }
    const server = createServer(answer).listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    assert.include(await rejection(dial({ host: "127.0.0.1", port }, key, "data")), "does not have the key")
    server.close()
  })

  it("is closed if the client answers another challenge, or sends anything else", async () => {
    let taken = 0
    using server = await serve(() => void taken++)
    for (
      const answer of ["{\"role\":\"data\",\"nonce\":\"00\",\"mac\":\"00\"}\n", "GET / HTTP/1.1\r\n\r\n", "null\n"]
    ) {
      const socket = connect(server)
      socket.on("error", () => {})
      socket.once("data", () => socket.write(answer))
      await once(socket, "close")
    }
    assert.strictEqual(taken, 0)
  })

  it("is closed if a line never ends", async () => {
    using server = await serve(() => {})
    const socket = connect(server)
    socket.on("error", () => {})
    socket.once("data", () => socket.write(Buffer.alloc(2 ** 20 + 1, "a")))
    await new Promise((resolve) => socket.once("close", resolve))
  }, 5_000)

  for (const role of ["guard", "driver"] as const) {
    it(`takes no message of a stranger on its way that follows the proof of a ${role}, whichever end it is sent to`, async () => {
      const heard: Array<Message> = []
      const closed: Array<Promise<unknown>> = []
      const hear = (connection: KeyedConnection) => {
        connection.listen((message) => heard.push(message))
        if (!connection.closed.isOpen) closed.push(new Promise<void>((resolve) => connection.closed.onOpen(resolve)))
      }
      using server = await serve(hear)
      // each line that passes is followed by one of the stranger, in the same piece
      const added = (bytes: Buffer) =>
        bytes.at(-1) === 10 ? Buffer.concat([bytes, Buffer.from("{\"kill\":0}\n")]) : bytes
      let lines = 0
      const between = createServer((client) => {
        const onward = connect(server)
        for (const socket of [client, onward]) socket.on("error", () => {})
        // the challenge passes as it is: a line after it would only end the proof
        onward.on("data", (bytes: Buffer) => client.write(lines++ === 0 ? bytes : added(bytes)))
        client.on("data", (bytes: Buffer) => onward.write(added(bytes)))
        client.once("close", () => onward.destroy())
        onward.once("close", () => client.destroy())
      }).listen(0, "127.0.0.1")
      await once(between, "listening")
      const address = between.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const made = await dial({ host: "127.0.0.1", port }, key, role).catch(() => undefined)
      if (made !== undefined) {
        hear(made)
        made.say({ own: true })
        made.socket.end()
      }
      await Promise.all(closed)
      between.close()
      // what is encrypted goes on as if there were no stranger; what is signed is closed
      assert.deepStrictEqual(heard, role === "guard" ? [{ own: true }] : [])
    })
  }

  it("is not made if nothing listens", async () => {
    assert.include(await rejection(dial({ host: "127.0.0.1", port: 9 }, key, "data")), "could not be reached")
  })

  it("keeps its messages until somebody listens", async () => {
    using server = await serve((connection) => {
      connection.say({ number: 1 })
      connection.say({ number: 2 })
      connection.socket.end()
    })
    const connection = await dial(server, key, "guard")
    if (!connection.closed.isOpen) await once(connection.socket, "close")
    const numbers: Array<unknown> = []
    connection.listen(({ number }) => void numbers.push(number))
    assert.deepStrictEqual(numbers, [1, 2])
  })
})
