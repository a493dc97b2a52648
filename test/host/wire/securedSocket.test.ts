import { assert, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { connect as connectTls, createServer as createTlsServer } from "node:tls"
import { securedSocket } from "../../../src/host/wire/securedSocket.ts"
import { hostCertificate, rootCertificate } from "../../support/certificates.ts"

const secret = randomBytes(32)

/** A server, and a client of it. */
const connected = async (take: (socket: Socket) => void) => {
  const server = createServer((socket) => take(socket.on("error", () => {}))).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  await once(socket, "connect")
  return { port, socket, [Symbol.dispose]: () => void (socket.destroy(), server.close()) }
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.resume().closed) return resolve()
    // it may close with an error
    socket.once("close", () => resolve())
  })

describe("a secured socket", () => {
  it("carries bytes both ways, which are written at once, and none of them can be read on their way", async () => {
    const seen: Array<Buffer> = []
    using pair = await connected((socket) => {
      socket.on("data", (bytes: Buffer) => seen.push(bytes))
      const end = securedSocket(socket, secret, "server")
      end.on("data", (bytes: Buffer) => end.write(bytes))
      end.write("hello")
    })
    const client = securedSocket(pair.socket, secret, "client")
    const text = "what a stranger must not read"
    client.write(text)
    let heard = ""
    for await (const bytes of client) {
      heard += String(bytes)
      assert.strictEqual(client.getProtocol(), "TLSv1.3")
      if (heard === `hello${text}`) break
    }
    assert.notInclude(Buffer.concat(seen).toString("latin1"), text)
  })

  it("is closed at both ends if the secrets differ, and hears nothing", async () => {
    let heard = 0
    let end: Socket | undefined
    using pair = await connected((socket) => {
      end = securedSocket(socket, randomBytes(32), "server").on("data", () => heard++)
      end.write("hello")
    })
    const client = securedSocket(pair.socket, secret, "client").on("data", () => heard++)
    client.write("hello")
    await closed(client)
    await closed(end ?? assert.fail("nobody came"))
    assert.strictEqual(heard, 0)
  })

  it("is not made with a server that has a certificate instead of the secret", async () => {
    const root = rootCertificate("a root of tests")
    const server = createTlsServer(
      hostCertificate(root, "a root of tests", ["localhost"]),
      (socket) => socket.write("hello")
    )
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const socket = connect(port, "127.0.0.1")
    await once(socket, "connect")
    let heard = 0
    await closed(securedSocket(socket, secret, "client").on("data", () => heard++))
    assert.strictEqual(heard, 0)
    server.close()
  })

  it("is not made with a client that has no secret", async () => {
    let heard = 0
    using pair = await connected((socket) => void securedSocket(socket, secret, "server").on("data", () => heard++))
    const stranger = connectTls({ socket: pair.socket, rejectUnauthorized: false }).on("error", () => {})
    stranger.write("hello")
    await closed(stranger)
    assert.strictEqual(heard, 0)
  })

  it("is closed if the other end sends no TLS", async () => {
    let end: Socket | undefined
    using pair = await connected((socket) => void (end = securedSocket(socket, secret, "server")))
    pair.socket.write("{\"kill\":0}\n".repeat(100))
    await closed(pair.socket)
    await closed(end ?? assert.fail("nobody came"))
  })
})
