/** The spans of a job that a manager has stored: of its events alone, so that they are there whatever died meanwhile. */
import { createHash } from "node:crypto"
import type { JobEvent } from "../JobEvent.ts"
import { attemptKey, jobKey, runKey, RunSpanFold } from "./runSpans.ts"
import type { SpanRecord, TraceContext } from "./spanRecord.ts"
import type { SpanStep, StepOf } from "./spanSteps.ts"
import { readTraceparent, type TraceParent } from "./traceparent.ts"

/** A stored job, as its trace sees it. Times are ISO 8601 strings. */
export interface TracedJob {
  readonly id: string
  readonly job: string
  readonly submittedAt: string
  /** The span of its submit, as W3C writes it. */
  readonly traceparent?: string | undefined
}

interface Parent extends Omit<TraceParent, "spanId"> {
  /** `undefined`: the job begins a trace of its own. */
  readonly spanId: string | undefined
}

const parentOf = ({ id, traceparent }: TracedJob): Parent =>
  readTraceparent(traceparent) ?? { traceId: hash(`trace of ${id}`, 32), spanId: undefined, isSampled: true }

/** The id of a span is made of what it is: it is the same whenever it is made, by whatever manager. */
const spanId = ({ id, submittedAt }: TracedJob, key: string, time = 1): string =>
  hash(`${id} ${submittedAt} ${time} ${key}`, 16)

const hash = (text: string, length: number): string => createHash("sha256").update(text).digest("hex").slice(0, length)

/** Returns the place of an attempt in the trace of its job; `undefined` if nobody wants that trace. */
export const traceContext = (job: TracedJob, attempt: number): TraceContext | undefined => {
  const { isSampled, traceId } = parentOf(job)
  return isSampled
    ? { traceId, attempt: spanId(job, attemptKey(attempt)), run: spanId(job, runKey(attempt)) }
    : undefined
}

/** Makes the spans of a job, of its events in their order. */
export class JobTrace {
  readonly #job: TracedJob
  readonly #parent: Parent
  readonly #fold: RunSpanFold
  readonly #open = new Map<string, { readonly step: StepOf<"Open">; readonly id: string; readonly parent?: string }>()
  /** The numbers of spans with the same key, and the id of the latest of them. */
  readonly #known = new Map<string, { readonly times: number; readonly id: string }>()
  readonly spans: Array<SpanRecord> = []

  constructor(job: TracedJob) {
    this.#job = job
    this.#parent = parentOf(job)
    const at = Date.parse(job.submittedAt) || 0
    this.#fold = new RunSpanFold({ job: job.job, id: job.id, queuedAt: at })
    this.#apply(this.#fold.begin(at))
  }

  get isSampled(): boolean {
    return this.#parent.isSampled
  }

  add(event: JobEvent): void {
    this.#apply(this.#fold.apply(event))
  }

  /** Ends what is open: nothing more is known of the job. */
  cut(): void {
    this.#apply(this.#fold.cut())
  }

  #apply(steps: ReadonlyArray<SpanStep>): void {
    for (const step of steps) {
      if (step._tag === "Open") this.#opened(step)
      else this.#closed(step)
    }
  }

  #opened(step: StepOf<"Open">): void {
    const { key } = step
    const times = (this.#known.get(key)?.times ?? 0) + 1
    const id = spanId(this.#job, key, times)
    const parent = step.parent === undefined ? this.#parent.spanId : this.#known.get(step.parent)?.id
    this.#known.set(key, { times, id })
    this.#open.set(key, { step, id, ...(parent === undefined ? {} : { parent }) })
  }

  #closed({ at, attributes, error, key }: StepOf<"Close">): void {
    const opened = this.#open.get(key)
    if (opened === undefined) return
    this.#open.delete(key)
    const { id, parent, step } = opened
    const { traceId } = this.#parent
    const linked = step.link === undefined ? undefined : this.#known.get(step.link)?.id
    this.spans.push({
      traceId,
      spanId: id,
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      name: step.name,
      kind: key === jobKey ? "consumer" : "internal",
      start: nanoseconds(step.at),
      end: nanoseconds(Math.max(step.at, at)),
      attributes: { ...step.attributes, ...attributes },
      ...(error === undefined ? {} : { error }),
      ...(linked === undefined ? {} : { links: [{ traceId, spanId: linked }] })
    })
  }
}

const nanoseconds = (ms: number): string => `${BigInt(Math.max(0, Math.round(ms))) * 1_000_000n}`
