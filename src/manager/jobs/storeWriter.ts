import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { NumberedEvent } from "../models.ts"
import type { ActiveJob } from "./activeJob.ts"
import type { Unsaved } from "./unsaved.ts"

/** The delays between the attempts of the writer while the store fails. */
const retries = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** The unsaved parts of one job, which are written in one transaction. */
interface Batch {
  readonly events: Array<NumberedEvent>
  latest: Unsaved
  /** Opens when the batch is on disk. */
  readonly saved: OneShotLatch
}

/** Writes what happens to active jobs to the store. What cannot be written is kept, and written once it can be. */
export class StoreWriter {
  readonly #store: JobStore["Service"]
  readonly #onHealthChange: () => void
  readonly #batches = new Map<ActiveJob, Batch>()
  #recorded = new OneShotLatch()
  #failure: StoreError | undefined

  /** `onHealthChange` is called when the store begins to fail, and when it works again. */
  constructor(store: JobStore["Service"], onHealthChange: () => void) {
    this.#store = store
    this.#onHealthChange = onHealthChange
  }

  /** Returns false while the store cannot be written. */
  get isHealthy(): boolean {
    return this.#failure === undefined
  }

  /** Adds to what is to be written of a job. Returns a latch that opens when it is on disk. */
  record(job: ActiveJob, unsaved: Unsaved): OneShotLatch {
    const batch = this.#batches.get(job) ?? this.#begin(job, unsaved)
    for (const event of unsaved.events) batch.events.push(event)
    if (unsaved._tag !== "Events") batch.latest = unsaved
    return batch.saved
  }

  /** Writes forever. */
  readonly run: Effect.Effect<never> = Effect.forever(Effect.suspend(() => {
    const [next] = this.#batches
    if (next === undefined) {
      this.#recorded = new OneShotLatch()
      return this.#recorded.await
    }
    const [job, batch] = next
    // records that come while this batch is written go into the next one
    this.#batches.delete(job)
    return Effect.map(this.#save(job.id, batch), (saved) => {
      job.saved(saved)
      batch.saved.open()
      job.announce()
    })
  }))

  #begin(job: ActiveJob, latest: Unsaved): Batch {
    const batch: Batch = { events: [], latest, saved: new OneShotLatch() }
    this.#batches.set(job, batch)
    this.#recorded.open()
    return batch
  }

  #save(id: string, { events, latest }: Batch): Effect.Effect<Unsaved> {
    return Effect.as(this.#retried(this.#write(id, events, latest)), { ...latest, events })
  }

  #write(id: string, events: ReadonlyArray<NumberedEvent>, latest: Unsaved): Effect.Effect<void, StoreError> {
    switch (latest._tag) {
      case "Events":
        return this.#store.append(id, events)
      case "Info":
        return this.#store.update(latest.info, events)
      case "End":
        // all of it is written in one transaction, so that a manager that is killed meanwhile has all or nothing
        return this.#store.finish(latest.info, latest.result, events)
    }
  }

  #retried(write: Effect.Effect<void, StoreError>): Effect.Effect<void> {
    return write.pipe(
      Effect.tapError((failure) =>
        Effect.suspend(() => {
          const isFirst = this.isHealthy
          this.#failure = failure
          if (!isFirst) return Effect.void
          this.#onHealthChange()
          return Effect.logError(`the store cannot be written; the manager tries again: ${failure.message}`)
        })
      ),
      Effect.retry(retries),
      Effect.andThen(Effect.sync(() => {
        if (this.isHealthy) return
        this.#failure = undefined
        this.#onHealthChange()
      })),
      Effect.orDie
    )
  }
}
