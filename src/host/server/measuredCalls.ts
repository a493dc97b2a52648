import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import { now } from "../../base/clock.ts"
import { startInterval } from "../../process/timers.ts"
import { CallMeter } from "../../telemetry/callMeter.ts"
import { servedSpan } from "../../telemetry/callSpans.ts"
import type { SpanRecord } from "../../telemetry/spanRecord.ts"
import { SpanSender } from "../../telemetry/spanSender.ts"
import type { Contract, Method } from "../contract.ts"
import type { CallTrace } from "../wire/callTrace.ts"
import type { FrameWriter } from "../wire/frames.ts"
import type { HostTelemetry } from "../wire/handshake.ts"
import { sendMeasurements } from "../wire/measurements.ts"

/** The interval at which a host sends what it has measured, and the most spans that it sends at once. */
const [sendMs, mostSpans] = [250, 500]

/** A call whose handler runs. */
export interface MeasuredCall {
  /** The context of its handler besides that of the host, if the call has a span. */
  readonly context: Context.Context<never> | undefined
  readonly end: (exit: Exit.Exit<unknown, unknown>) => void
}

/** The telemetry of the calls that a host answers. Its caller exports it, because the host may have no address to export to. */
export class MeasuredCalls {
  readonly #service: string
  readonly #clock: Clock.Clock
  readonly #writer: FrameWriter
  readonly #meter: CallMeter | undefined
  readonly #sender: SpanSender | undefined
  #spans: ReadonlyArray<SpanRecord> = []
  /** The calls that are counted and nothing else, by the number of their method. */
  readonly #counted: ReadonlyArray<MeasuredCall>
  /** Ends the sending at an interval. */
  readonly end: () => void

  constructor(
    contract: Contract,
    { metrics, service, traces }: HostTelemetry,
    writer: FrameWriter,
    clock: Clock.Clock
  ) {
    this.#service = service
    this.#clock = clock
    this.#writer = writer
    const methods = contract.methods.map(({ name }) => name)
    this.#meter = metrics ? new CallMeter({ side: "server", service: "", methods }) : undefined
    this.#sender = traces ? new SpanSender(mostSpans, (spans) => void (this.#spans = spans)) : undefined
    this.#counted = methods.map((_, index) => ({ context: undefined, end: (exit) => this.#meter?.ended(index, exit) }))
    this.end = startInterval(sendMs, () => this.send())
  }

  begin({ index, name }: Method, trace: CallTrace | undefined): MeasuredCall | undefined {
    const clock = this.#clock
    const meter = this.#meter
    const tracer = this.#sender?.tracer
    const span = tracer === undefined || trace === undefined
      ? undefined
      : servedSpan(tracer, trace, { clock, method: name, service: this.#service })
    const isTimed = meter?.began() === true
    if (!isTimed && span === undefined) return this.#counted[index]
    const since = isTimed ? now(clock) : undefined
    return {
      context: tracer === undefined || span === undefined
        ? undefined
        : Context.make(Tracer.Tracer, tracer).pipe(Context.add(Tracer.ParentSpan, span)),
      end: (exit) => {
        meter?.ended(index, exit, since && now(clock) - since)
        span?.end(clock.currentTimeNanosUnsafe(), exit)
      }
    }
  }

  /** Sends what was measured since the last time. */
  send(): void {
    this.#sender?.flush()
    const spans = this.#spans
    this.#spans = []
    const counts = this.#meter?.take() ?? []
    if (spans.length > 0 || counts.length > 0) sendMeasurements(this.#writer, { counts, spans })
  }
}
