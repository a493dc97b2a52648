import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { now } from "../../base/clock.ts"

/**
 * The state of the event loop of a host, as far as its caller knows:
 *
 * - `Answered`: no ping is on its way
 * - `Pinged`: a ping was sent, and nothing has come back yet
 * - `Overdue`: that has lasted for a whole interval
 */
export type HeartbeatState = "Answered" | "Pinged" | "Overdue"

/** Pings a host at an interval, and notices that its event loop is blocked long before a call would. */
export class Heartbeat {
  readonly #everyMs: number
  readonly #ping: () => void
  readonly #onChange: (responsive: boolean) => void
  #state: HeartbeatState = "Answered"

  constructor(everyMs: number, ping: () => void, onChange: (responsive: boolean) => void) {
    this.#everyMs = everyMs
    this.#ping = ping
    this.#onChange = onChange
  }

  get state(): HeartbeatState {
    return this.#state
  }

  /** Pings until it is interrupted. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function*() {
    const clock = yield* Clock.Clock
    const interval = Duration.millis(this.#everyMs)
    let lastTick = now(clock)
    while (true) {
      yield* clock.sleep(interval)
      const tick = now(clock)
      // an answer may have come and wait to be read if this event loop was blocked itself
      this.#tick(tick - lastTick > 1.5 * this.#everyMs)
      lastTick = tick
    }
  })

  /** Something came from the host. */
  heard(): void {
    if (this.#state === "Answered") return
    const wasOverdue = this.#state === "Overdue"
    this.#state = "Answered"
    if (wasOverdue) this.#onChange(true)
  }

  #tick(isLate: boolean): void {
    if (this.#state === "Answered") {
      this.#state = "Pinged"
      this.#ping()
    } else if (this.#state === "Pinged" && !isLate) {
      this.#state = "Overdue"
      this.#onChange(false)
    }
  }
}
