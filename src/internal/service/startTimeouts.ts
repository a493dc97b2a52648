import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import type { ServiceRecord } from "./serviceRecord.ts"
import { now } from "../../base/clock.ts"

export interface StartTimeoutsOptions {
  readonly clock: Clock.Clock
  /** The limit of a start that has none of its own, in milliseconds. */
  readonly startTimeout: number
  readonly records: ReadonlyArray<ServiceRecord>
  /** A start has taken longer than its limit (milliseconds). */
  readonly onLate: (record: ServiceRecord, limit: number) => void
}

/** The limits of the starts of a job. One watch serves all of them, because an acquire may be uninterruptible and hang. */
export class StartTimeouts {
  readonly #options: StartTimeoutsOptions
  /** The time at which the first limit of the starts under way passes. */
  #next = Infinity
  /** Opens when an earlier limit is added. */
  #earlier: OneShotLatch | undefined

  constructor(options: StartTimeoutsOptions) {
    this.#options = options
  }

  /** Adds the limit of a start. */
  add(record: ServiceRecord): void {
    const end = record.startedAt + this.#limitOf(record)
    if (end >= this.#next) return
    this.#next = end
    this.#earlier?.open()
  }

  /** Reports the starts that take too long, until the stop begins. */
  watch(stopping: OneShotLatch): Effect.Effect<void> {
    return Effect.suspend(() => {
      const earlier = this.#earlier = new OneShotLatch()
      return Effect.flatMap(waitFor(stopping, this.#next - now(this.#options.clock), earlier), (why) => {
        if (why === "ended") return Effect.void
        if (why === "time") this.#reportLate()
        return this.watch(stopping)
      })
    })
  }

  #reportLate(): void {
    this.#next = Infinity
    for (const record of this.#options.records) {
      // a service in hosts has their limit, whose error says what they printed
      if (record.state._tag !== "Starting" || record.hosts !== undefined) continue
      const limit = this.#limitOf(record)
      const end = record.startedAt + limit
      if (end > now(this.#options.clock)) this.#next = Math.min(this.#next, end)
      else this.#options.onLate(record, limit)
    }
  }

  #limitOf(record: ServiceRecord): number {
    return record.settings.startTimeout ?? this.#options.startTimeout
  }
}
