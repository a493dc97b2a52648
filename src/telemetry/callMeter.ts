/** Counts the calls to the hosts of one service, at either end. A call costs it one search among a few bounds. */
import type * as Exit from "effect/Exit"
import { shortened } from "../base/format.ts"
import type { CallCounts, EndedCalls } from "./callCounts.ts"
import { errorTypeOf } from "./callErrors.ts"
import { Histogram } from "./histogram.ts"
import { bucketsOf } from "./instruments.ts"

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

/** The calls of one method: those that have succeeded, and those that have failed, by the kind of the failure. */
interface MethodCalls {
  readonly method: string
  readonly succeeded: Histogram
  readonly failed: Map<string, Histogram>
}

export class CallMeter {
  readonly #options: CallMeterOptions
  readonly #bounds: ReadonlyArray<number>
  readonly #methods: ReadonlyArray<MethodCalls>
  #active = 0
  #toldActive = 0

  constructor(options: CallMeterOptions) {
    this.#options = options
    this.#bounds = bucketsOf(`rpc.${options.side}.call.duration`)
    this.#methods = options.methods.map((method) => ({
      method,
      succeeded: new Histogram(this.#bounds),
      failed: new Map()
    }))
  }

  /** A call has begun. */
  began(): void {
    this.#active++
  }

  /** A call to the method with this number has ended after so many milliseconds. */
  ended(index: number, ms: number, exit: Exit.Exit<unknown, unknown>): void {
    this.#active--
    const calls = this.#methods[index]
    if (calls === undefined) return
    const histogram = exit._tag === "Success" ? calls.succeeded : this.#failed(calls, errorTypeOf(exit) ?? "")
    histogram.add(Math.max(0, ms) / 1_000)
  }

  /** Returns what has changed since the last time. */
  take(): ReadonlyArray<CallCounts> {
    const { host, service, side } = this.#options
    const taken: Array<CallCounts> = []
    for (const { failed, method, succeeded } of this.#methods) {
      const counts = succeeded.take()
      if (counts !== undefined) taken.push({ _tag: "Ended", side, service, method, ...counts })
      for (const [error, histogram] of failed) {
        const counts = histogram.take()
        if (counts !== undefined) taken.push({ _tag: "Ended", side, service, method, error, ...counts })
      }
    }
    if (host !== undefined && this.#active !== this.#toldActive) {
      this.#toldActive = this.#active
      taken.push({ _tag: "Active", service, host, calls: this.#active })
    }
    return taken
  }

  #failed({ failed }: MethodCalls, type: string): Histogram {
    const name = shortened(type, maxError)
    const error = failed.has(name) || failed.size < maxErrors ? name : otherErrors
    const known = failed.get(error)
    if (known !== undefined) return known
    const histogram = new Histogram(this.#bounds)
    failed.set(error, histogram)
    return histogram
  }
}
