import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { longestMs } from "../../base/timers.ts"
import { within } from "../../base/waits.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { KeyedConnection, Message } from "./keyedConnection.ts"

/** The time for the answer of a guard, beyond the limit of the kill. */
const answerMs = 100

/** The last message of a guard about its host. */
export interface HostEnd {
  readonly how: string
  /** The processes that the host had started and did not end, as a text. */
  readonly leftover?: string | undefined
}

export interface GuardListener {
  /** The process of the host runs. */
  readonly onStarted: (pid: number) => void
  /** The process of the host has ended; `gone` if nothing of its process group is left. */
  readonly onEnded: (end: HostEnd, gone: boolean) => void
  /** The worker process of the actor is gone, or the guard is, which would have seen that. */
  readonly onWorkerGone: () => void
  /** The end of what the host printed to stderr. */
  readonly onStderr: (text: string) => void
  readonly onLost: () => void
}

/** The guard of a host, as the owner of the host is connected with it. */
export class RayGuard {
  readonly #connection: KeyedConnection
  /** Those who wait for the answer to a kill. */
  readonly #onKilled = new Set<(killed: Killed) => void>()

  constructor(connection: KeyedConnection) {
    this.#connection = connection
  }

  listen(listener: GuardListener): void {
    const { closed } = this.#connection
    this.#connection.listen((message) => this.#receive(message, listener))
    closed.onOpen(() => {
      // the end of the worker process is only seen by Ray from now on, which says DEAD
      listener.onWorkerGone()
      listener.onLost()
    })
  }

  /** Calls the listener once the guard is gone. */
  onClosed(listener: () => void): () => void {
    return this.#connection.closed.onOpen(listener)
  }

  /** Asks the guard to have the host clean up and end. */
  stop(): void {
    this.#connection.say({ stop: true })
  }

  close(): void {
    this.#connection.socket.destroy()
  }

  /** Has the guard kill the process group of the host. */
  kill(limitMs: number): Effect.Effect<Killed> {
    const answer = Effect.callback<Killed>((resume) => {
      let off = () => {}
      const cleanUp = () => {
        off()
        this.#onKilled.delete(settle)
      }
      const settle = (killed: Killed) => {
        cleanUp()
        resume(Effect.succeed(killed))
      }
      this.#onKilled.add(settle)
      off = this.onClosed(() => settle({ gone: false, how: "its guard is gone", durationMs: 0 }))
      // JSON has no infinity
      this.#connection.say({ kill: Math.min(limitMs, longestMs) })
      return Effect.sync(cleanUp)
    })
    const none = { gone: false, how: "its guard does not answer", durationMs: limitMs }
    return Effect.map(within(answer, limitMs + answerMs), Option.getOrElse(() => none))
  }

  #receive({ actorGone, gone, how, killed, leftover, pid, stderr }: Message, listener: GuardListener): void {
    if (typeof pid === "number") listener.onStarted(pid)
    else if (typeof how === "string") {
      listener.onEnded({ how, leftover: typeof leftover === "string" ? leftover : undefined }, gone === true)
    } else if (actorGone === true) listener.onWorkerGone()
    else if (typeof stderr === "string") listener.onStderr(stderr)
    else if (isKilled(killed)) {
      for (const settle of this.#onKilled) settle(killed)
    }
  }
}

const isKilled = (value: unknown): value is Killed =>
  typeof value === "object" && value !== null && "gone" in value && typeof value.gone === "boolean" &&
  "how" in value && typeof value.how === "string" && "durationMs" in value && typeof value.durationMs === "number"
