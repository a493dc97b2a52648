import * as Effect from "effect/Effect"
import { messageOf } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { NumberedEvent } from "../models.ts"
import type { ActiveJob } from "./activeJob.ts"
import type { Unsaved } from "./unsaved.ts"
import type { UnsavedFiles } from "./unsavedFiles.ts"
import { writeUnsaved } from "./writeUnsaved.ts"
import { storeRest, withoutResult } from "./unstorable.ts"

/** The delays between the attempts of the writer while the store fails, in milliseconds: from the first to the longest. */
const [firstDelayMs, longestDelayMs] = [100, 5_000]

/**
 * The number of times that the part of one job may fail while those of others are stored: the store works, and this part is
 * what it cannot hold.
 */
const maxRefusals = 5

/** The unsaved parts of one job, which are written in one transaction. */
interface Batch {
  readonly events: Array<NumberedEvent>
  latest: Unsaved
  /** Opens when the batch is on disk. */
  readonly saved: OneShotLatch
  /** The number of its failures while others were stored, and the number of those at its last failure. */
  refusals: { readonly times: number; readonly saves: number } | undefined
}

/**
 * Writes what happens to active jobs to the store, of each job in turn. It replaces what the store cannot hold by a note. It
 * keeps what it cannot write, and writes it once it can; if this manager has to end before, the next one does.
 */
export class StoreWriter {
  readonly #store: JobStore["Service"]
  readonly #files: UnsavedFiles
  readonly #onHealthChange: () => void
  readonly #batches = new Map<ActiveJob, Batch>()
  /** The batch that is being written. */
  #current: readonly [ActiveJob, Batch] | undefined
  #recorded = new OneShotLatch()
  /** The failures since the last part that was stored: if there are any, the store cannot be written. */
  #failures = 0
  /** All parts that were stored. */
  #saves = 0
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
    return this.#failures === 0
  }

  /** Adds to what is to be written of a job. Returns a latch that opens when it is on disk. */
  record(job: ActiveJob, unsaved: Unsaved): OneShotLatch {
    const batch = this.#batches.get(job) ?? this.#begin(job, unsaved)
    extend(batch, unsaved.events, unsaved)
    if (this.#target === "files") this.#toFiles()
    return batch.saved
  }

  /** Waits for the store no longer: what it does not have is written to files, also what comes later. */
  giveUp(): void {
    this.#target = "files"
    this.#toFiles()
  }

  #toFiles(): void {
    const unwritten = [...this.#current === undefined ? [] : [this.#current], ...this.#batches]
    this.#current = undefined
    this.#batches.clear()
    for (const [job, batch] of unwritten) this.#toFile(job, batch)
  }

  #toFile(job: ActiveJob, { events, latest, saved }: Batch): void {
    const unsaved = { ...latest, events }
    try {
      this.#files.add(job.id, unsaved)
    } catch (error) {
      this.#restToFile(job, unsaved, messageOf(error))
    }
    this.#isSaved(job, unsaved, saved)
  }

  /** A file cannot hold what no text can. */
  #restToFile(job: ActiveJob, unsaved: Unsaved, why: string): void {
    try {
      this.#files.add(job.id, { ...withoutResult(unsaved, why), events: [] })
    } catch {
      Effect.runFork(Effect.logError(
        `what became of job ${job.id} is lost: neither the store nor a file can be written (${why})`
      ))
    }
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
    return Effect.matchEffect(this.#save(job, batch), {
      onFailure: (failure) => this.#hasFailed(job, batch, failure),
      onSuccess: (saved) =>
        Effect.sync(() => {
          this.#works()
          // it may be in a file by now
          if (this.#current !== next) return
          this.#current = undefined
          this.#isSaved(job, saved, batch.saved)
        })
    })
  }))

  #begin(job: ActiveJob, latest: Unsaved): Batch {
    const batch: Batch = { events: [], latest, saved: new OneShotLatch(), refusals: undefined }
    this.#batches.set(job, batch)
    this.#recorded.open()
    return batch
  }

  #isSaved(job: ActiveJob, unsaved: Unsaved, latch: OneShotLatch): void {
    job.saved(unsaved)
    latch.open()
    job.announce()
  }

  #save(job: ActiveJob, { events, latest, refusals }: Batch): Effect.Effect<Unsaved, StoreError> {
    const unsaved = { ...latest, events }
    const isRefused = refusals !== undefined && refusals.times >= maxRefusals
    return Effect.as(writeUnsaved(this.#store, job.id, unsaved), unsaved).pipe(
      Effect.catch((failure) =>
        failure.ofValue === true || isRefused
          ? this.#saveRest(job, unsaved, { why: failure.message, isRefused })
          : Effect.fail(failure)
      )
    )
  }

  /** Those who follow the job have its events all the same. */
  #saveRest(
    job: ActiveJob,
    unsaved: Unsaved,
    refusal: { readonly why: string; readonly isRefused: boolean }
  ): Effect.Effect<Unsaved, StoreError> {
    return Effect.flatMap(
      storeRest(this.#store, job.id, unsaved, refusal),
      ({ missing, unsaved: stored }) =>
        Effect.as(
          missing.length === 0 ? Effect.void : Effect.logError(`of job ${job.id}, ${missing.join("; ")}`),
          { ...stored, events: unsaved.events }
        )
    )
  }

  /** Puts the batch behind those of other jobs, and waits before the next attempt. */
  #hasFailed(job: ActiveJob, batch: Batch, failure: StoreError): Effect.Effect<void> {
    return Effect.suspend(() => {
      const isFirst = this.isHealthy
      const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** this.#failures++)
      // it may be in a file by now
      if (this.#current?.[1] === batch) {
        this.#current = undefined
        this.#again(job, batch)
      }
      if (isFirst) this.#onHealthChange()
      return Effect.andThen(
        isFirst
          ? Effect.logError(`the store cannot be written; the manager tries again: ${failure.message}`)
          : Effect.void,
        Effect.sleep(delayMs)
      )
    })
  }

  #again(job: ActiveJob, batch: Batch): void {
    const since = this.#batches.get(job)
    this.#batches.delete(job)
    const { refusals } = batch
    const isAlone = refusals !== undefined && refusals.saves < this.#saves
    batch.refusals = { times: (refusals?.times ?? 0) + (isAlone ? 1 : 0), saves: this.#saves }
    if (since !== undefined) {
      extend(batch, since.events, since.latest)
      batch.saved.onOpen(() => since.saved.open())
    }
    this.#batches.set(job, batch)
  }

  #works(): void {
    this.#saves++
    if (this.isHealthy) return
    this.#failures = 0
    this.#onHealthChange()
  }
}

/** Adds events to a batch, and what is known since them. */
const extend = (batch: Batch, events: ReadonlyArray<NumberedEvent>, latest: Unsaved): void => {
  for (const event of events) batch.events.push(event)
  if (latest._tag !== "Events") batch.latest = latest
}
