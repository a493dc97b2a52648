import { Durations } from "./durations.ts"

/** The chunks of a job that are timed between two calls of `settle`, at most. */
const mostTimed = 250

/** A stage works, waits for elements, or has elements that nobody takes. */
export type Activity = "busy" | "idle" | "backpressured"

/** The milliseconds that a stage spent in each activity. */
export type ActivityTimes = Record<Activity, number>

/** The times of one stage. If its stream is open several times, its times are the sum of theirs. */
export class StageTime {
  readonly ms: ActivityTimes = { busy: 0, idle: 0, backpressured: 0 }
  readonly durations: Durations

  constructor(at: number) {
    this.durations = new Durations(at)
  }
}

/** A stream of a stage, whose times are being measured. */
interface Timed {
  /** Adds the time since the last change. */
  readonly settle: (at: number) => void
  /** Hands on what was added, `until` when it was measured, for the whole time until `at`. */
  readonly collect: (until: number, at: number) => void
}

/**
 * Decides what is timed. Everything is, as long as few chunks pass: then times are exact. Once `mostTimed` chunks were timed, the
 * clock is read no more until the next `settle`, and until then the activities are taken to have the shares that they had
 * before.
 */
export class StageTimes {
  readonly #now: () => number
  readonly #timed = new Set<Timed>()
  #left = mostTimed
  #closedAt: number | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  now(): number {
    return this.#now()
  }

  /** Returns the time, or `NaN` while nothing is timed. */
  read(): number {
    return this.#closedAt === undefined ? this.#now() : Number.NaN
  }

  /** Returns the time at which a chunk begins, or `NaN` if it is not to be timed. */
  begin(): number {
    if (this.#closedAt !== undefined) return Number.NaN
    const at = this.#now()
    if (this.#left-- > 0) return at
    this.#closedAt = at
    for (const timed of this.#timed) timed.settle(at)
    return Number.NaN
  }

  add(timed: Timed): void {
    this.#timed.add(timed)
  }

  remove(timed: Timed): void {
    if (!this.#timed.delete(timed)) return
    const at = this.#now()
    const until = this.#closedAt ?? at
    if (until === at) timed.settle(at)
    timed.collect(until, at)
  }

  /** Hands the times on until now, and begins to time again. */
  settle(): void {
    const at = this.#now()
    const until = this.#closedAt ?? at
    for (const timed of this.#timed) {
      if (this.#closedAt === undefined) timed.settle(at)
      timed.collect(until, at)
    }
    this.#closedAt = undefined
    this.#left = mostTimed
  }
}
