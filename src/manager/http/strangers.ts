/** Limits the costs of clients that have not shown a token which the server knows. */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"

/** The time between two answers to wrong tokens from one address. */
const delayMs = 200

export class Strangers {
  /** All connections. */
  readonly #open = new Set<Socket>()
  /** The connections on which no request was allowed yet, the oldest first. */
  readonly #strange = new Set<Socket>()
  /** The times at which the next answers to wrong tokens are due, by address. */
  readonly #due = new Map<string, number>()
  readonly #most: number

  /** `most` is the number of connections from which on those of strangers make room. */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * Closes the oldest connections of strangers once there are too many in all, so that others come in. As long as there is
   * room, a client may open many at once, on which it has not spoken yet.
   */
  readonly watch = (server: Server): void => {
    server.on("connection", (socket) => {
      this.#open.add(socket)
      this.#strange.add(socket)
      socket.once("close", () => this.#forget(socket))
      for (const oldest of this.#strange) {
        if (this.#open.size <= this.#most) return
        this.#forget(oldest)
        oldest.destroy()
      }
    })
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket)
    this.#strange.delete(socket)
  }

  /** Takes note that a request was allowed: its connection is no longer a stranger's. */
  readonly allowed = (request: HttpServerRequest): void => {
    this.#strange.delete(socketOf(request))
  }

  /** Waits before the answer to a wrong token. Those of one address wait for one another, so that guesses are slow. */
  readonly denied = (request: HttpServerRequest): Effect.Effect<void> =>
    Effect.clockWith((clock) =>
      Effect.suspend(() => {
        const now = clock.currentTimeMillisUnsafe()
        const address = socketOf(request).remoteAddress ?? ""
        const due = Math.max(now, this.#due.get(address) ?? 0) + delayMs
        this.#due.set(address, due)
        return Effect.andThen(
          Effect.sleep(due - now),
          Effect.sync(() => {
            if (this.#due.get(address) === due) this.#due.delete(address)
          })
        )
      })
    )
}

const socketOf = (request: HttpServerRequest): Socket =>
  // safe: the server is one of Node
  (request.source as IncomingMessage).socket
