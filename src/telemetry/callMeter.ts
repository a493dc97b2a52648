/**
 * Counts the calls to the hosts of one service, at either end, and times some of them: reading the clock twice for each would cost
 * as much as a tenth of a call. The others are taken to last as long as the timed one that follows them.
 */
import type * as Exit from "effect/Exit"
import { shortened } from "../base/format.ts"
import type { CallCounts, EndedCalls } from "./callCounts.ts"
import { errorTypeOf } from "./callErrors.ts"
import { Histogram } from "./histogram.ts"
import { bucketsOf } from "./instruments.ts"

/** About so many calls are timed from one `take` to the next. */
const timedCalls = 250

/** The most kinds of failures of one method: further ones are counted together. */
const maxErrors = 20
const otherErrors = "(other)"

/** The longest name of a kind of failures, in characters. */
const maxError = 100

export interface CallMeterOptions {
  readonly side: EndedCalls["side"]
  /** The name of the service; empty at its host. */
  readonly service: string
  /** The kind of the hosts, for the number of calls that they have. */
  readonly host?: string | undefined
  readonly methods: ReadonlyArray<string>
}

/** The calls of one method that have ended in the same way. */
class Series {
  readonly #histogram: Histogram
  #untimed = 0
  #last: number | undefined

  constructor(bounds: ReadonlyArray<number>) {
    this.#histogram = new Histogram(bounds)
  }

  /** Adds a call that took so many seconds; `undefined` if it was not timed. */
  add(seconds: number | undefined): void {
    this.#untimed++
    if (seconds === undefined) return
    this.#last = seconds
    this.#histogram.add(seconds, this.#untimed)
    this.#untimed = 0
  }

  take(otherwise: number) {
    if (this.#untimed > 0) this.#histogram.add(this.#last ?? otherwise, this.#untimed)
    this.#untimed = 0
    return this.#histogram.take()
  }
}

interface MethodCalls {
  readonly method: string
  readonly succeeded: Series
  /** Those that have failed, by the kind of the failure. */
  readonly failed: Map<string, Series>
}

export class CallMeter {
  readonly #options: CallMeterOptions
  readonly #bounds: ReadonlyArray<number>
  readonly #methods: ReadonlyArray<MethodCalls>
  #active = 0
  /** The number that was told last. The first one is told even if it is 0. */
  #toldActive: number | undefined
  /** The calls since the last `take`. */
  #begun = 0
  /** One of so many calls is timed. */
  #stride = 1
  #untilTimed = 1
  #lastSeconds = 0

  constructor(options: CallMeterOptions) {
    this.#options = options
    this.#bounds = bucketsOf(`rpc.${options.side}.call.duration`)
    this.#methods = options.methods.map((method) => ({
      method,
      succeeded: new Series(this.#bounds),
      failed: new Map()
    }))
  }

  /** A call has begun. Returns true if it is to be timed. */
  began(): boolean {
    this.#active++
    this.#begun++
    if (--this.#untilTimed > 0) return false
    this.#untilTimed = this.#stride
    return true
  }

  /** A call to the method with this number has ended, after so many milliseconds if it was timed. */
  ended(index: number, exit: Exit.Exit<unknown, unknown>, ms?: number): void {
    this.#active--
    const calls = this.#methods[index]
    if (calls === undefined) return
    const series = exit._tag === "Success" ? calls.succeeded : this.#failed(calls, errorTypeOf(exit) ?? "")
    if (ms !== undefined) this.#lastSeconds = Math.max(0, ms) / 1_000
    series.add(ms === undefined ? undefined : this.#lastSeconds)
  }

  /** Returns what has changed since the last time. */
  take(): ReadonlyArray<CallCounts> {
    this.#stride = Math.max(1, Math.ceil(this.#begun / timedCalls))
    this.#untilTimed = Math.min(this.#untilTimed, this.#stride)
    this.#begun = 0
    const { host, service, side } = this.#options
    const taken: Array<CallCounts> = []
    for (const { failed, method, succeeded } of this.#methods) {
      const counts = succeeded.take(this.#lastSeconds)
      if (counts !== undefined) taken.push({ _tag: "Ended", side, service, method, ...counts })
      for (const [error, series] of failed) {
        const counts = series.take(this.#lastSeconds)
        if (counts !== undefined) taken.push({ _tag: "Ended", side, service, method, error, ...counts })
      }
    }
    if (host !== undefined && this.#active !== this.#toldActive) {
      this.#toldActive = this.#active
      taken.push({ _tag: "Active", service, host, calls: this.#active })
    }
    return taken
  }

  #failed({ failed }: MethodCalls, type: string): Series {
    const name = shortened(type, maxError)
    const error = failed.has(name) || failed.size < maxErrors ? name : otherErrors
    const known = failed.get(error)
    if (known !== undefined) return known
    const series = new Series(this.#bounds)
    failed.set(error, series)
    return series
  }
}
