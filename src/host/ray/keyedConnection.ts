/**
 * How the two ends of a connection with a Ray cluster find out that both have the key, and what they say after that:
 * JSON, one line each. The server speaks first: a challenge, which the client answers with one of its own.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { connect, type Socket } from "node:net"
import { StringDecoder } from "node:string_decoder"
import { OneShotLatch } from "../../base/oneShotLatch.ts"

/** What a connection is for: to ask for actors, to hear of a guarded process, or for the calls of a service. */
export type Role = "driver" | "guard" | "data"

export type Message = Readonly<Record<string, unknown>>

export interface Address {
  readonly host: string
  readonly port: number
}

/** How long the other end may take to answer, and to show that it has the key. */
const handshakeMs = 10_000

/** How long a message may be: whoever connects may send anything. */
const longestMessage = 2 ** 20

const mac = (key: Uint8Array, ...parts: ReadonlyArray<unknown>): string =>
  createHmac("sha256", key).update(parts.join("\n")).digest("hex")

const same = (one: unknown, other: string): boolean =>
  typeof one === "string" && one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

/** A connection on which messages are exchanged. */
export class Peer {
  readonly socket: Socket
  readonly closed = new OneShotLatch()
  readonly #decoder = new StringDecoder("utf8")
  #take: (message: Message) => void
  #rest = ""

  constructor(socket: Socket, take: (message: Message) => void) {
    this.socket = socket
    this.#take = take
    socket.setNoDelay(true)
    // a machine that vanishes says nothing
    socket.setKeepAlive(true, 5_000)
    socket.on("data", this.#read)
    socket.on("error", () => {})
    socket.once("close", () => this.closed.open())
  }

  readonly #read = (bytes: Buffer): void => {
    const lines = (this.#rest + this.#decoder.write(bytes)).split("\n")
    this.#rest = lines.pop() ?? ""
    if (this.#rest.length > longestMessage) return void this.socket.destroy()
    for (const line of lines) {
      const message = parse(line)
      if (message === undefined) this.socket.destroy()
      else this.#take(message)
    }
  }

  say(message: Message): void {
    if (this.socket.writable) this.socket.write(`${JSON.stringify(message)}\n`)
  }

  /** What is said from now on is for somebody else. */
  listen(take: (message: Message) => void): void {
    this.#take = take
  }

  /** The connection is no longer one of messages. Nothing may have been sent on it after the handshake. */
  release(): Socket {
    this.socket.off("data", this.#read)
    this.socket.pause()
    return this.socket
  }
}

const parse = (line: string): Message | undefined => {
  try {
    const message: unknown = JSON.parse(line)
    // safe: it is an object, and what its fields are is looked at where they are used
    return typeof message === "object" && message !== null ? message as Message : undefined
  } catch {
    return undefined
  }
}

/** Connects, and sees to it that the other end has the key. Rejects with what went wrong, for people. */
export const dial = (address: Address, key: Uint8Array, role: Role): Promise<Peer> =>
  new Promise((resolve, reject) => {
    const own = randomBytes(32).toString("hex")
    let theirs: unknown
    const socket = connect(address)
    const failed = (why: string) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Error(`${address.host}:${address.port} ${why}`))
    }
    const timer = setTimeout(() => failed(`did not answer within ${handshakeMs} ms`), handshakeMs)
    socket.once("error", (error) => failed(`could not be reached: ${error.message}`))
    const onClose = () => failed("closed the connection before it was made")
    socket.once("close", onClose)
    const peer = new Peer(socket, (message) => {
      if (theirs === undefined) {
        theirs = message["nonce"]
        return peer.say({ role, nonce: own, mac: mac(key, "client", role, theirs, own) })
      }
      if (!same(message["mac"], mac(key, "server", role, theirs, own))) return failed("does not have the key")
      clearTimeout(timer)
      socket.off("close", onClose)
      peer.listen(() => {})
      resolve(peer)
    })
  })

/** Takes a connection, and passes it on once its other end has shown that it has the key. Others are closed. */
export const receive = (socket: Socket, key: Uint8Array, take: (peer: Peer, role: unknown) => void): void => {
  const own = randomBytes(32).toString("hex")
  const timer = setTimeout(() => socket.destroy(), handshakeMs)
  const peer = new Peer(socket, ({ mac: proof, nonce, role }) => {
    clearTimeout(timer)
    if (!same(proof, mac(key, "client", role, own, nonce))) return void socket.destroy()
    peer.listen(() => {})
    peer.say({ mac: mac(key, "server", role, own, nonce) })
    take(peer, role)
  })
  peer.closed.onOpen(() => clearTimeout(timer))
  peer.say({ nonce: own })
}
