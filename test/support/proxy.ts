import * as Effect from "effect/Effect"
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { until } from "./hosts.ts"

/** Stands between a client and a server, and does to their connections what networks do. */
export class Proxy {
  readonly #sockets = new Set<Socket>()
  /** The port that it hands on to. */
  target: number
  readonly #server = createServer((client) => this.#connect(client))
  /** How many connections there were. */
  connections = 0
  /** How often a server has sent something. */
  sent = 0
  /** Whether new connections are closed as they come. */
  isDown = false
  /** Whether nothing is handed on any more, and nobody is told. */
  isSilent = false
  /** Breaks a connection, the how manieth, once its server has sent so much over it. */
  cutAfter: (connection: number) => number = () => Infinity

  constructor(target: number) {
    this.target = target
  }

  get url(): string {
    // safe: it listens on a port
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
  }

  /** Breaks all connections, without a goodbye. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Waits until there have been so many more connections. */
  reached(more: number): Effect.Effect<void> {
    const enough = this.connections + more
    return until(`connection ${enough}`, () => this.connections >= enough)
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #connect(client: Socket): void {
    this.connections++
    if (this.isDown) return void client.resetAndDestroy()
    const server = connect(this.target, "127.0.0.1")
    const connection = this.connections
    let sent = 0
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.#sockets.add(from)
      from.on("data", (chunk: Buffer) => {
        if (this.isSilent) return
        if (from === server) this.sent++
        const left = from === server ? this.cutAfter(connection) - sent : Infinity
        if (from === server) sent += chunk.length
        to.write(chunk.length > left ? chunk.subarray(0, Math.max(0, left)) : chunk, () => {
          if (chunk.length >= left) client.resetAndDestroy()
        })
      })
      from.on("error", () => {})
      from.on("close", () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}

/** A proxy in front of a port of this machine. */
export const proxyOf = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const proxy = new Proxy(Number(new URL(url).port))
      await proxy.listen()
      return proxy
    }),
    (proxy) => Effect.sync(() => proxy.close())
  )
