/** Keeps spans for another process, which exports them: this one has no address to export to. */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { shortened } from "../base/format.ts"
import { valueText } from "../base/valueText.ts"
import type { SpanRecord } from "./spanRecord.ts"

/** Of each span so many attributes are sent, and so much of each text. */
const [maxAttributes, maxText] = [16, 256]

/** Spans that wait for being sent: there are `most` at once, and those beyond it are lost. */
export class WaitingSpans {
  readonly #most: number
  #waiting: Array<SpanRecord> = []

  constructor(most: number) {
    this.#most = most
  }

  /** Makes spans that are sent once they have ended. */
  readonly tracer: Tracer.Tracer = Tracer.make({
    span: (options) =>
      new SentSpan(options, (span) => {
        if (this.#waiting.length < this.#most) this.#waiting.push(recordOf(span))
      })
  })

  /** Takes spans that others have made. */
  add(spans: ReadonlyArray<SpanRecord>): void {
    this.#waiting.push(...spans.slice(0, this.#most - this.#waiting.length))
  }

  /** Returns those that wait, which are sent next. */
  take(): ReadonlyArray<SpanRecord> {
    const spans = this.#waiting
    this.#waiting = []
    return spans
  }
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
