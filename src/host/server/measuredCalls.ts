import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import { startInterval } from "../../process/timers.ts"
import { CallEnds, type EndCall } from "../../telemetry/callEnds.ts"
import { CallMeter } from "../../telemetry/callMeter.ts"
import { servedSpan } from "../../telemetry/callSpans.ts"
import { WaitingSpans } from "../../telemetry/waitingSpans.ts"
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
  readonly end: EndCall
}

/** The telemetry of the calls that a host answers. Its caller exports it, because the host may have no address to export to. */
export class MeasuredCalls {
  readonly #service: string
  readonly #clock: Clock.Clock
  readonly #writer: FrameWriter
  readonly #meter: CallMeter | undefined
  readonly #spans: WaitingSpans | undefined
  readonly #ends: CallEnds
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
    this.#spans = traces ? new WaitingSpans(mostSpans) : undefined
    this.#ends = new CallEnds(this.#meter, methods, clock)
    this.end = startInterval(sendMs, () => this.send())
  }

  begin({ index, name }: Method, trace: CallTrace | undefined): MeasuredCall | undefined {
    const tracer = this.#spans?.tracer
    const span = tracer === undefined || trace === undefined
      ? undefined
      : servedSpan(tracer, trace, { clock: this.#clock, method: name, service: this.#service })
    const end = this.#ends.begin(index, span)
    return end && {
      context: tracer === undefined || span === undefined
        ? undefined
        : Context.make(Tracer.Tracer, tracer).pipe(Context.add(Tracer.ParentSpan, span)),
      end
    }
  }

  /** Sends what was measured since the last time. */
  send(): void {
    const spans = this.#spans?.take() ?? []
    const counts = this.#meter?.take() ?? []
    if (spans.length > 0 || counts.length > 0) sendMeasurements(this.#writer, { counts, spans })
  }
}
