/** Turns what happens in the runs of this process into metrics and spans. */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import {
  type ObservedRun,
  type RunObservation,
  RunTelemetry,
  unobserved,
  whileRuns
} from "../internal/run/runTelemetry.ts"
import { CallRecords } from "./callRecords.ts"
import { CurrentHostCalls, type HostCalls, takeCounts } from "./hostCalls.ts"
import { Recorder } from "./recorder.ts"
import { RunMeter } from "./runMeter.ts"
import { jobKey, runKey, RunSpanFold } from "./runSpans.ts"
import { copySpan, SpanFault } from "./spanCopies.ts"
import type { SpanRecord } from "./spanRecord.ts"
import type { SpanStep } from "./spanSteps.ts"
import { StageMeter } from "./stageMeter.ts"

/** The interval at which the counters of pipelines and of calls are read. */
const readMs = 1_000

/** The signals that are on. */
export interface Signals {
  readonly metrics: boolean
  readonly traces: boolean
}

/**
 * Returns a context in which runs have metrics and spans. Metrics go to the registry of `context`. `push` exports spans that
 * others have made; without it they are made once more by the tracer of the submitter.
 */
export const observingRuns = (
  context: Context.Context<never>,
  { metrics, traces }: Signals,
  push?: (span: SpanRecord) => void
): Context.Context<never> => {
  const recorder = new Recorder(context)
  return Context.make(RunTelemetry, (run, submitter) => {
    const tracer = Context.get(submitter, Tracer.Tracer)
    const exported = push ?? ((span: SpanRecord) => copySpan(tracer, span))
    const spans = (all: ReadonlyArray<SpanRecord>) => all.forEach(exported)
    const calls: HostCalls = { metrics, traces, meters: [], spans }
    if (metrics) measure(run, calls, recorder)
    const references = Context.make(CurrentHostCalls, calls)
    return { ...traces ? trace(run, tracer, submitter) : unobserved, references }
  })
}

const measure = (run: ObservedRun, calls: HostCalls, recorder: Recorder): void => {
  const { job } = run.options
  const meter = new RunMeter(job)
  const stages = new StageMeter(job)
  const records = new CallRecords(recorder, job)
  run.stages.measureTimes()
  run.events.listen((event) => recorder.record(meter.apply(event)))
  whileRuns(run, readMs, () => {
    run.stages.settleTimes()
    recorder.record(stages.apply(run.stages.report()))
    records.record(takeCounts(calls))
  })
  run.stopped.onOpen(() => {
    recorder.record(stages.restart())
    records.end()
  })
}

type RunSpans = Pick<RunObservation, "job" | "run">

/** Makes the spans of a run as its events come, within the span of its submitter. */
const trace = (run: ObservedRun, tracer: Tracer.Tracer, submitter: Context.Context<never>): RunSpans => {
  const { clock, id, job } = run.options
  const parent = Option.fromUndefinedOr(submitter.mapUnsafe.get(Tracer.ParentSpan.key) as Tracer.AnySpan | undefined)
  const live = new LiveSpans(tracer, parent)
  const fold = new RunSpanFold({ job, id })
  live.apply(fold.begin(Date.parse(run.startedAt)))
  run.events.listen((event) => live.apply(fold.apply(event)))
  run.stopped.onOpen(() => live.apply(fold.cut(clock.currentTimeMillisUnsafe())))
  return { job: () => live.get(jobKey), run: () => live.get(runKey(1)) }
}

/** The spans of one run, made by a tracer. */
class LiveSpans {
  readonly #tracer: Tracer.Tracer
  readonly #parent: Option.Option<Tracer.AnySpan>
  readonly #spans = new Map<string, Tracer.Span>()

  constructor(tracer: Tracer.Tracer, parent: Option.Option<Tracer.AnySpan>) {
    this.#tracer = tracer
    this.#parent = parent
  }

  get(key: string): Tracer.Span | undefined {
    return this.#spans.get(key)
  }

  apply(steps: ReadonlyArray<SpanStep>): void {
    for (const step of steps) {
      if (step._tag === "Open") this.#open(step)
      else this.#close(step)
    }
  }

  #open({ at, attributes, key, name, parent: within }: Extract<SpanStep, { readonly _tag: "Open" }>): void {
    const parent = within === undefined ? this.#parent : Option.fromUndefinedOr(this.#spans.get(within))
    const span = this.#tracer.span({
      name,
      parent: parent._tag === "None" ? this.#parent : parent,
      annotations: Context.empty(),
      links: [],
      startTime: nanos(at),
      kind: "internal",
      root: false,
      sampled: parent._tag === "None" || parent.value.sampled
    })
    for (const [name, value] of Object.entries(attributes ?? {})) span.attribute(name, value)
    this.#spans.set(key, span)
  }

  #close({ at, attributes, error, key }: Extract<SpanStep, { readonly _tag: "Close" }>): void {
    const span = this.#spans.get(key)
    if (span === undefined) return
    this.#spans.delete(key)
    for (const [name, value] of Object.entries(attributes ?? {})) span.attribute(name, value)
    span.end(nanos(at), error === undefined ? Exit.void : Exit.fail(new SpanFault(error)))
  }
}

const nanos = (ms: number): bigint => BigInt(Math.round(ms)) * 1_000_000n
