import type * as Clock from "effect/Clock"
import type * as Fiber from "effect/Fiber"
import { CallEnds, type EndCall } from "../../telemetry/callEnds.ts"
import { CallMeter } from "../../telemetry/callMeter.ts"
import type { CallCounts } from "../../telemetry/callCounts.ts"
import { CallSpans } from "../../telemetry/callSpans.ts"
import type { HostCalls } from "../../telemetry/hostCalls.ts"
import type { Contract, Method } from "../contract.ts"
import type { CallTrace } from "../wire/callTrace.ts"
import type { HostTelemetry } from "../wire/handshake.ts"
import type { Measurements } from "../wire/measurements.ts"

/** A call on its way. */
export interface ObservedCall {
  /** The place of its span in a trace, if it has one. */
  readonly trace: CallTrace | undefined
  readonly end: EndCall
}

export interface ObservedCallsOptions {
  readonly calls: HostCalls
  /** The name of the service in the report. */
  readonly service: string
  /** The kind of its hosts. */
  readonly host: string
  readonly contract: Contract
  readonly clock: Clock.Clock
}

/** The telemetry of the calls to the hosts of one service. */
export class ObservedCalls {
  readonly #options: ObservedCallsOptions
  readonly #meter: CallMeter | undefined
  readonly #spans: CallSpans | undefined
  /** The counts of hosts that nobody has read yet. */
  #received: Array<CallCounts> = []
  readonly #ends: CallEnds

  constructor(options: ObservedCallsOptions) {
    const { calls, clock, contract, host, service } = options
    this.#options = options
    const methods = contract.methods.map(({ name }) => name)
    this.#meter = calls.metrics ? new CallMeter({ side: "client", service, host, methods }) : undefined
    this.#spans = calls.traces ? new CallSpans({ service, methods, clock }) : undefined
    this.#ends = new CallEnds(this.#meter, methods, clock)
    calls.meters.push(this)
  }

  /** Returns what the hosts are to measure. */
  get wanted(): HostTelemetry {
    const { calls: { metrics, traces }, service } = this.#options
    return { service, metrics, traces }
  }

  begin({ index }: Method, fiber: Fiber.Fiber<unknown, unknown>): ObservedCall | undefined {
    const span = this.#spans?.begin(index, fiber)
    const end = this.#ends.begin(index, span)
    return end && { trace: span, end }
  }

  /** Takes what a host has measured. */
  measured({ counts, spans }: Measurements): void {
    const { calls, service } = this.#options
    if (spans.length > 0) calls.spans(spans)
    for (const one of counts) {
      if (one._tag === "Ended" && this.#meter !== undefined) this.#received.push({ ...one, side: "server", service })
    }
  }

  take(): ReadonlyArray<CallCounts> {
    const received = this.#received
    this.#received = []
    return [...this.#meter?.take() ?? [], ...received]
  }
}
