/**
 * A connection with a Ray cluster. It begins with a proof that both ends have the key: the server sends a challenge,
 * which the client answers with one of its own. After that it carries messages, which are JSON, a line each. Those of a guard, and
 * the calls of a service, are encrypted (`securedSocket`). The driver is in Python, which has no cipher: its messages have no
 * secrets, and each is signed (`signedLines`).
 *
 * This end of it runs in a guard, too, which has no Effect: the limit of a handshake that a guard takes part in is a timer
 * of Node's. `dial.ts` has the client, whose limit Effect's Clock counts.
 */
import { randomBytes } from "node:crypto"
import type { Socket } from "node:net"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { LineReader } from "../../process/lineReader.ts"
import { type End, securedSocket } from "../wire/securedSocket.ts"
import { mac, same } from "./macs.ts"
import { type LineSigner, signedLines } from "./signedLines.ts"

/** The use of a connection: requests for actors, messages of a guard, or the calls of a service. */
export type Role = "driver" | "guard" | "data"

export type Message = Readonly<Record<string, unknown>>

export interface Address {
  readonly host: string
  readonly port: number
}

/** The limit for the other end to answer, and to prove that it has the key. */
export const handshakeMs = 10_000

/** The longest message of the proof in bytes: anybody may send one. */
const longestProof = 4 * 1_024

/** The longest message in bytes of an end that has the key. */
const longestMessage = 2 ** 20

/** Returns true if a connection can be made with what the other end calls an address. */
export const isAddress = (value: object): value is Address => {
  const { host, port } = value as Partial<Record<keyof Address, unknown>>
  return typeof host === "string" && host !== "" && typeof port === "number" && Number.isInteger(port) && port > 0 &&
    port < 2 ** 16
}

/** One end of the connection. */
export class KeyedConnection {
  #socket: Socket
  readonly closed = new OneShotLatch()
  #lines: LineReader
  #take: (message: Message) => void
  readonly #held: Array<Message> = []
  #signer: LineSigner | undefined

  constructor(socket: Socket, take: (message: Message) => void) {
    this.#socket = socket
    this.#take = take
    this.#lines = this.#readerOf(longestProof)
    socket.setNoDelay(true)
    // a machine that vanishes does not close its connections
    socket.setKeepAlive(true, 5_000)
    socket.on("data", this.#read)
    socket.on("error", () => {})
    socket.once("close", this.#onClose)
  }

  /** The socket that the messages are written to. */
  get socket(): Socket {
    return this.#socket
  }

  #readerOf(longest: number): LineReader {
    return new LineReader({
      longest,
      onLine: (line) => {
        const text = this.#signer === undefined ? line : this.#signer.open(line)
        const message = text === undefined ? undefined : parse(text)
        if (message === undefined) this.close()
        else this.#take(message)
      },
      onTooLong: () => this.close()
    })
  }

  readonly #read = (bytes: Buffer): void => this.#lines.feed(bytes)
  readonly #onClose = (): void => this.closed.open()

  /** The other end has proved that it has the key: its messages may be longer, and are protected from now on. */
  protect(role: unknown, secret: Uint8Array, end: End): void {
    this.#lines.longest = longestMessage
    if (role === "driver") this.#signer = signedLines(secret, end)
    if (role === "guard") this.#encrypt(secret, end)
  }

  #encrypt(secret: Uint8Array, end: End): void {
    // nothing that has come in the clear is read any longer
    this.#lines.end()
    this.#lines = this.#readerOf(longestMessage)
    const raw = this.release()
    raw.off("close", this.#onClose)
    const secured = securedSocket(raw, secret, end)
    // an end that never begins has no secret
    const timer = setTimeout(() => secured.destroy(), handshakeMs)
    secured.once("secure", () => clearTimeout(timer))
    secured.once("close", () => {
      clearTimeout(timer)
      this.#onClose()
    })
    secured.on("data", this.#read)
    this.#socket = secured
  }

  /** Closes the connection at once. No message is taken after it, also of those that have arrived. */
  close(): void {
    this.#lines.end()
    this.socket.destroy()
  }

  say(message: Message): void {
    if (!this.socket.writable) return
    const text = JSON.stringify(message)
    this.socket.write(`${this.#signer === undefined ? text : this.#signer.seal(text)}\n`)
  }

  /** Keeps all later messages until `listen` is called. */
  hold(): void {
    this.#take = (message) => void this.#held.push(message)
  }

  /** Passes all later messages, and those that were kept, to another listener. */
  listen(take: (message: Message) => void): void {
    this.#take = take
    for (const message of this.#held.splice(0)) take(message)
  }

  /** Ends the messages, and returns the socket for bytes. The other end may not have sent anything since the handshake. */
  release(): Socket {
    this.socket.off("data", this.#read)
    this.socket.pause()
    return this.socket
  }
}

const parse = (line: string): Message | undefined => {
  try {
    const message: unknown = JSON.parse(line)
    // safe: it is an object, and its fields are checked where they are used
    return typeof message === "object" && message !== null && !Array.isArray(message) ? message as Message : undefined
  } catch {
    return undefined
  }
}

/** Returns the secret of one connection, which both ends derive from the key and from what they have said in the proof. */
export const secretOf = (key: Uint8Array, ...parts: ReadonlyArray<unknown>): Buffer =>
  Buffer.from(mac(key, "secret", ...parts) ?? "", "hex")

/**
 * Takes a connection, and passes it on with its role and its secret, once the other end has proved that it has the key. Others are
 * closed.
 */
export const receive = (
  socket: Socket,
  key: Uint8Array,
  take: (connection: KeyedConnection, role: unknown, secret: Uint8Array) => void
): void => {
  const ownNonce = randomBytes(32).toString("hex")
  const timer = setTimeout(() => socket.destroy(), handshakeMs)
  const connection = new KeyedConnection(socket, ({ mac: proof, nonce, role }) => {
    clearTimeout(timer)
    if (!same(proof, mac(key, "client", role, ownNonce, nonce))) return connection.close()
    connection.listen(() => {})
    connection.say({ mac: mac(key, "server", role, ownNonce, nonce) })
    const secret = secretOf(key, role, ownNonce, nonce)
    connection.protect(role, secret, "server")
    take(connection, role, secret)
  })
  connection.closed.onOpen(() => clearTimeout(timer))
  connection.say({ nonce: ownNonce })
}
