import type * as Clock from "effect/Clock"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import { now } from "../base/clock.ts"
import type { CallMeter } from "./callMeter.ts"

/** Ends the telemetry of a call. */
export type EndCall = (exit: Exit.Exit<unknown, unknown>) => void

/** The ends of calls, at either end of a host: calls are counted, some are timed, and some have spans. */
export class CallEnds {
  readonly #meter: CallMeter | undefined
  readonly #clock: Clock.Clock
  /** The ends of calls that are counted and nothing else, by the number of their method: none is made for each call. */
  readonly #counted: ReadonlyArray<EndCall>

  constructor(meter: CallMeter | undefined, methods: ReadonlyArray<string>, clock: Clock.Clock) {
    this.#meter = meter
    this.#clock = clock
    this.#counted = methods.map((_, index) => (exit) => meter?.ended(index, exit))
  }

  /** Begins a call to the method with this number. Returns nothing for a method that there is not. */
  begin(index: number, span: Tracer.Span | undefined): EndCall | undefined {
    const clock = this.#clock
    const meter = this.#meter
    const since = meter?.began() === true ? now(clock) : undefined
    if (since === undefined && span === undefined) return this.#counted[index]
    return (exit) => {
      meter?.ended(index, exit, since === undefined ? undefined : now(clock) - since)
      span?.end(clock.currentTimeNanosUnsafe(), exit)
    }
  }
}
