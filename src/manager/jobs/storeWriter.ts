import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { messageOf } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { NumberedEvent } from "../models.ts"
import type { ActiveJob } from "./activeJob.ts"
import type { Unsaved } from "./unsaved.ts"
import { type UnsavedFiles, writeUnsaved } from "./unsavedFiles.ts"

/** The delays between the attempts of the writer while the store fails. */
const retries = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** The unsaved parts of one job, which are written in one transaction. */
interface Batch {
  readonly events: Array<NumberedEvent>
  latest: Unsaved
  /** Opens when the batch is on disk. */
  readonly saved: OneShotLatch
}

/**
 * Writes what happens to active jobs to the store. What cannot be written is kept, and written once it can be; by the next
 * manager, if this one has to end before.
 */
export class StoreWriter {
  readonly #store: JobStore["Service"]
  readonly #files: UnsavedFiles
  readonly #onHealthChange: () => void
  readonly #batches = new Map<ActiveJob, Batch>()
  /** The batch that is being written. */
  #current: readonly [ActiveJob, Batch] | undefined
  #recorded = new OneShotLatch()
  #failure: StoreError | undefined
  /** The place that it writes to: the store or, once the manager waits for that no longer, files for the next one. */
  #target: "store" | "files" = "store"

  /** `onHealthChange` is called when the store begins to fail, and when it works again. */
  constructor(store: JobStore["Service"], files: UnsavedFiles, onHealthChange: () => void) {
    this.#store = store
    this.#files = files
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
    if (this.#target === "files") this.#toFiles()
    return batch.saved
  }

  /** Waits for the store no longer: what it does not have is written to files, also what comes later. */
  giveUp(): void {
    this.#target = "files"
    this.#toFiles()
  }

  #toFiles(): void {
    const current = this.#current
    this.#current = undefined
    const batches = new Map(this.#batches)
    this.#batches.clear()
    if (current !== undefined) {
      const [job, { events, latest, saved }] = current
      const next = batches.get(job)
      const whole = { events, latest, saved: new OneShotLatch() }
      if (next !== undefined) {
        events.push(...next.events)
        if (next.latest._tag !== "Events") whole.latest = next.latest
        whole.saved.onOpen(() => next.saved.open())
      }
      whole.saved.onOpen(() => saved.open())
      batches.set(job, whole)
    }
    for (const [job, batch] of batches) this.#toFile(job, batch)
  }

  #toFile(job: ActiveJob, { events, latest, saved }: Batch): void {
    const unsaved = { ...latest, events }
    try {
      this.#files.write(job.id, unsaved)
    } catch (error) {
      Effect.runFork(Effect.logError(
        `what became of job ${job.id} is lost: neither the store nor a file can be written (${messageOf(error)})`
      ))
    }
    job.saved(unsaved)
    saved.open()
    job.announce()
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
    this.#current = next
    return Effect.map(this.#save(job.id, batch), (saved) => {
      // it may be in a file by now
      if (this.#current !== next) return
      this.#current = undefined
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
    const unsaved = { ...latest, events }
    return Effect.as(this.#retried(writeUnsaved(this.#store, id, unsaved)), unsaved)
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
