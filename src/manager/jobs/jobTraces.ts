/** The traces of a manager's jobs. The spans of a life are made of the stored events once it has ended. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import { JobTrace, traceContext } from "../../telemetry/jobTrace.ts"
import type { SpanRecord } from "../../telemetry/spanRecord.ts"
import type { JobStore } from "../JobStore.ts"
import type { JobInfo } from "../models.ts"
import type { JobObserver } from "./activeJob.ts"
import { storedEvents } from "./jobFeeds.ts"

/** The time that a manager which ends waits for the reading of events. */
const settleMs = 500

type Push = (span: SpanRecord) => void

export class JobTraces {
  readonly #store: JobStore["Service"]
  readonly #push: Push | undefined
  readonly #underway = new Set<OneShotLatch>()

  /** Without `push` there are no traces. */
  constructor(store: JobStore["Service"], push: Push | undefined) {
    this.#store = store
    this.#push = push
  }

  /** Takes the spans of the job's own code, as far as they belong to its trace: the code may be anybody's. */
  of(info: JobInfo): Pick<JobObserver, "spans" | "trace"> {
    const push = this.#push
    if (push === undefined) return { spans: () => {}, trace: () => undefined }
    const traceId = traceContext(info, 1)?.traceId
    return {
      trace: (attempt) => traceContext(info, attempt),
      spans: (spans) => {
        for (const span of spans) if (span.traceId === traceId) push(span)
      }
    }
  }

  /** Exports the life of a job that has stopped, whatever manager it began at. */
  exportJob(info: JobInfo): Effect.Effect<void> {
    const push = this.#push
    if (push === undefined) return Effect.void
    const trace = new JobTrace(info)
    if (!trace.isSampled) return Effect.void
    const exported = new OneShotLatch()
    this.#underway.add(exported)
    return Effect.ensuring(
      this.#export(info, trace, push),
      Effect.sync(() => {
        this.#underway.delete(exported)
        exported.open()
      })
    )
  }

  /** Waits until all is exported that has begun, and not for long. */
  readonly settled: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach(this.#underway, (exported) => waitFor(exported, settleMs), {
      concurrency: "unbounded",
      discard: true
    })
  )

  #export(info: JobInfo, trace: JobTrace, push: Push): Effect.Effect<void> {
    return Stream.runForEach(storedEvents(this.#store, info.id, 0), ({ event }) => Effect.sync(() => trace.add(event)))
      .pipe(
        Effect.andThen(Effect.sync(() => {
          trace.cut()
          for (const span of trace.spans) push(span)
        })),
        Effect.catch(({ message }) => Effect.logWarning(`the trace of job ${info.id} is lost: ${message}`))
      )
  }
}
