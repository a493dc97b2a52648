import type * as Clock from "effect/Clock"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import type { ServiceRecord } from "../service/serviceState.ts"
import { now } from "../../base/clock.ts"

export interface AllowancesOptions {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  /** The services that a service needs and that have not ended. */
  readonly needsOf: (record: ServiceRecord) => ReadonlyArray<ServiceRecord>
}

/** What a kill takes at most, as long as the system does as it is told. */
const killReserveMs = 250

/** What each release may take of the time that a stop has. */
export class Allowances {
  /** When all phases must be over, in monotonic milliseconds; set as the stop begins. */
  end = Infinity
  readonly #options: AllowancesOptions
  readonly #levels = new Map<ServiceRecord, number>()

  constructor(options: AllowancesOptions) {
    this.#options = options
  }

  /** What is left until all phases must be over. */
  remaining(): number {
    return this.end === Infinity ? Infinity : Math.max(0, this.end - now(this.#options.clock))
  }

  /** The limit of one release: its own, cut so that each level of dependencies beneath it still has its turn. */
  of(record: ServiceRecord): number {
    const own = record.spec.releaseTimeout ?? this.#options.limits.releaseTimeout
    const remaining = this.remaining()
    if (remaining === Infinity) return own
    // the deadline is to have room for a kill, too
    const left = record.remote === undefined ? remaining : remaining - Math.min(killReserveMs, remaining / 4)
    const beneath = this.#level(record)
    return Math.min(own, left - beneath * Math.min(1_000, left / (beneath + 1)))
  }

  #level(record: ServiceRecord): number {
    const known = this.#levels.get(record)
    if (known !== undefined) return known
    this.#levels.set(record, 0)
    let level = 0
    for (const need of this.#options.needsOf(record)) level = Math.max(level, this.#level(need) + 1)
    this.#levels.set(record, level)
    return level
  }
}
