/** Spans of user code in the process of a job: they go to its manager, because the process has no address to export to. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { type ObservedRun, RunTelemetry } from "../internal/run/runTelemetry.ts"
import { shortened } from "../base/format.ts"
import { valueText } from "../base/valueText.ts"
import { startInterval } from "../process/timers.ts"
import type { SpanRecord, TraceContext } from "./spanRecord.ts"

/** The interval at which spans are sent, and the most that are sent at once: those beyond it are lost. */
const [sendMs, most] = [250, 64]

/** Of each span so many attributes are sent, and so much of each text. */
const [maxAttributes, maxText] = [16, 256]

/** Returns the context of a job whose spans are sent. */
export const tracingJob = (
  { attempt, run, traceId }: TraceContext,
  send: (spans: ReadonlyArray<SpanRecord>) => void
): Context.Context<never> => {
  let waiting: Array<SpanRecord> = []
  const flush = () => {
    if (waiting.length > 0) send(waiting)
    waiting = []
  }
  const tracer = Tracer.make({
    span: (options) =>
      new SentSpan(options, (span) => {
        if (waiting.length < most) waiting.push(recordOf(span))
      })
  })
  const spanOf = (spanId: string) => Tracer.externalSpan({ traceId, spanId, sampled: true })
  const observe = (observed: ObservedRun) => {
    const stop = startInterval(sendMs, flush)
    observed.stopped.onOpen(() => {
      stop()
      flush()
    })
    return { job: () => spanOf(attempt), run: () => spanOf(run) }
  }
  return Context.make(RunTelemetry, observe).pipe(Context.add(Tracer.Tracer, tracer))
}

class SentSpan extends Tracer.NativeSpan {
  readonly #onEnd: (span: SentSpan) => void

  constructor(options: ConstructorParameters<typeof Tracer.NativeSpan>[0], onEnd: (span: SentSpan) => void) {
    super(options)
    this.#onEnd = onEnd
  }

  override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    const wasOpen = this.status._tag === "Started"
    super.end(endTime, exit)
    if (wasOpen && this.sampled) this.#onEnd(this)
  }
}

const recordOf = (span: SentSpan): SpanRecord => {
  const { status } = span
  const parent = Option.getOrUndefined(span.parent)
  const [end, exit] = status._tag === "Ended" ? [status.endTime, status.exit] : [span.startTime, undefined]
  const failed = exit?._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause) ? exit.cause : undefined
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    name: cut(span.name),
    kind: span.kind,
    start: String(span.startTime),
    end: String(end),
    attributes: Object.fromEntries(
      [...span.attributes].slice(0, maxAttributes).map(([name, value]) => [cut(name), valueOf(value)])
    ),
    ...(failed === undefined ? {} : { error: cut(Cause.prettyErrors(failed)[0]?.message ?? "it failed") })
  }
}

const valueOf = (value: unknown): string | number | boolean =>
  typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)) ? value : cut(textOf(value))

const textOf = (value: unknown): string => typeof value === "string" ? value : valueText(value, maxText)

const cut = (text: string): string => shortened(text, maxText)
