import type * as Clock from "effect/Clock"
import { now } from "../../base/clock.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"

/** The longest time of a kill, as long as the system obeys. */
const killReserveMs = 250

/** The share of each level of services beneath a release, unless the deadline leaves less. */
const levelShareMs = 1_000

/** A release that needs a limit. */
export interface BudgetedRelease {
  /** Its beginning, in monotonic milliseconds; now by default. */
  readonly at?: number
  /** Its own limit in milliseconds; the policy's by default. */
  readonly releaseTimeout: number | undefined
  /** `true` if its hosts can be killed once the limit has passed, which takes time too. */
  readonly canBeKilled: boolean
  /** The number of levels of services beneath it that have not stopped. */
  readonly levelsBeneath: number
}

/**
 * The time that a stop has. It alone knows the deadline, the reserve that the release keeps, and the share of each
 * release. All times are milliseconds; `Infinity` is no limit.
 */
export class TimeBudget {
  readonly #clock: Clock.Clock
  readonly #limits: PolicyMillis
  /** The time at which all phases must be over, in monotonic milliseconds. */
  #end = Infinity
  /** The most by which a timer of this stop was late. */
  #lateness = 0

  constructor(clock: Clock.Clock, limits: PolicyMillis) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Starts the deadline, and returns it. `withinMs` is a shorter one that the request brings. */
  start(withinMs = Infinity): number {
    const deadline = Math.min(this.#limits.deadline, withinMs)
    this.#end = now(this.#clock) + deadline
    return deadline
  }

  /** Returns the time that is left until all phases must be over, at a monotonic time in milliseconds. */
  remaining(at?: number): number {
    return this.#end === Infinity ? Infinity : Math.max(0, this.#end - (at ?? now(this.#clock)))
  }

  get isSpent(): boolean {
    return this.remaining() <= 0
  }

  /** The limit of a phase before the release: its own, or what the deadline leaves without the reserve of the release. */
  forPhase(limit: number): number {
    const { deadline, killTimeout, releaseTimeout } = this.#limits
    const reserve = deadline === Infinity ? 0 : Math.min(releaseTimeout + killTimeout, deadline / 2)
    return Math.max(0, Math.min(limit, this.remaining() - reserve))
  }

  /**
   * The limit of one release: its own, cut so that each level beneath it still has its share. Timers that were late
   * before are expected to be late again: that time is not given away, but for half of an equal share, which a release has
   * in any case. A service that would stop in time is not given up because the machine is slow.
   */
  forRelease({ at, canBeKilled, levelsBeneath, releaseTimeout }: BudgetedRelease): number {
    const own = releaseTimeout ?? this.#limits.releaseTimeout
    const remaining = this.remaining(at)
    if (remaining === Infinity) return own
    const left = canBeKilled ? remaining - Math.min(killReserveMs, remaining / 4) : remaining
    if (levelsBeneath === 0) return Math.min(own, left)
    const equal = left / (levelsBeneath + 1)
    const share = Math.min(levelShareMs + this.#lateness, equal)
    return Math.min(own, Math.max(equal / 2, left - levelsBeneath * share - this.#lateness))
  }

  /** The limit of what follows the release: the smaller of its own and what is left. */
  forRest(limit: number): number {
    return Math.min(limit, this.remaining())
  }

  /** Reports that a wait with this limit took so long. */
  addLateness(limitMs: number, tookMs: number): void {
    this.#lateness = Math.max(this.#lateness, tookMs - limitMs)
  }
}
