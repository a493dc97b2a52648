import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../stop/waits.ts"
import { type ServiceRecord, starting } from "./serviceState.ts"
import { now } from "../../base/clock.ts"

export interface StartLimitsOptions {
  readonly clock: Clock.Clock
  /** The limit of a start that has none of its own, in milliseconds. */
  readonly startTimeout: number
  readonly records: ReadonlyArray<ServiceRecord>
  /** A start has taken longer than its limit, in milliseconds. */
  readonly onLate: (record: ServiceRecord, limit: number) => void
}

/** The limits of the starts of a job. One watch serves all of them: an acquire may be uninterruptible and hang. */
export class StartLimits {
  readonly #options: StartLimitsOptions
  /** When the first of the limits of the starts under way passes, and how to tell that there is an earlier one. */
  #next = Infinity
  #earlier: OneShotLatch | undefined

  constructor(options: StartLimitsOptions) {
    this.#options = options
  }

  /** Sees to it that the watch wakes up in time for the limit of this start. */
  add(record: ServiceRecord): void {
    const end = record.startedAt + this.#limitOf(record)
    if (end >= this.#next) return
    this.#next = end
    this.#earlier?.open()
  }

  /** Tells of the starts that take too long, until the stop begins. */
  watch(stopping: OneShotLatch): Effect.Effect<void> {
    return Effect.suspend(() => {
      const earlier = this.#earlier = new OneShotLatch()
      return Effect.flatMap(waitFor(stopping, this.#next - now(this.#options.clock), earlier), (why) => {
        if (why === "ended") return Effect.void
        if (why === "time") this.#tellOfLate()
        return this.watch(stopping)
      })
    })
  }

  #tellOfLate(): void {
    this.#next = Infinity
    for (const record of this.#options.records) {
      // one that lives elsewhere has the limit of its hosts, which knows what they said
      if (record.state !== starting || record.remote !== undefined) continue
      const limit = this.#limitOf(record)
      const end = record.startedAt + limit
      if (end > now(this.#options.clock)) this.#next = Math.min(this.#next, end)
      else this.#options.onLate(record, limit)
    }
  }

  #limitOf(record: ServiceRecord): number {
    return record.spec.startTimeout ?? this.#options.startTimeout
  }
}
