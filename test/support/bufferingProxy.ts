import * as Effect from "effect/Effect"
import { once } from "node:events"
import { createServer, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * A proxy that does what reverse proxies do by default: it keeps an answer until it is whole, unless `X-Accel-Buffering: no`
 * forbids that, and it stores an answer to a GET and gives it to the next one, unless `Cache-Control` forbids that.
 */
export class BufferingProxy {
  readonly #server: Server
  readonly #stored = new Map<string, string>()

  constructor(target: string) {
    this.#server = createServer((incoming, outgoing) => {
      const stored = incoming.method === "GET" ? this.#stored.get(incoming.url ?? "") : undefined
      if (stored !== undefined) return void outgoing.end(stored)
      const asked = request(`${target}${incoming.url}`, { method: incoming.method, headers: incoming.headers })
      asked.on("error", () => outgoing.destroy())
      outgoing.on("close", () => asked.destroy())
      asked.on("response", (answer) => {
        const { headers, statusCode = 502 } = answer
        answer.on("error", () => outgoing.destroy())
        if (headers["x-accel-buffering"] === "no") {
          outgoing.writeHead(statusCode, headers).flushHeaders()
          return void answer.pipe(outgoing)
        }
        let whole = ""
        answer.on("data", (chunk: Buffer) => whole += chunk)
        answer.on("end", () => {
          if (statusCode === 200 && !/no-cache|no-store/.test(headers["cache-control"] ?? "")) {
            this.#stored.set(incoming.url ?? "", whole)
          }
          outgoing.writeHead(statusCode, headers).end(whole)
        })
      })
      incoming.pipe(asked)
    })
  }

  get url(): string {
    // safe: it listens on a port
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** A buffering proxy in front of a server. */
export const bufferingProxyOf = (target: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const proxy = new BufferingProxy(target)
      await proxy.listen()
      return proxy
    }),
    (proxy) => Effect.sync(() => proxy.close())
  )
