import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobStore, StoreError } from "../JobStore.ts"
import type { LiveJob } from "./liveJob.ts"

/** How often a store that does not answer is tried again. */
const again = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** Keeps the store up with what happens to live jobs. What cannot be written is kept, and written once it can. */
export class Saver {
  readonly #store: JobStore["Service"]
  readonly #onTurn: () => void
  readonly #changed = new Set<LiveJob>()
  #wake = new OneShotLatch()
  /** Why the store could not be written, while it cannot. */
  failure: StoreError | undefined

  /** `onTurn` is called when the store begins to fail, and when it is back. */
  constructor(store: JobStore["Service"], onTurn: () => void) {
    this.#store = store
    this.#onTurn = onTurn
  }

  /** The job has news for the store. */
  changed(job: LiveJob): void {
    this.#changed.add(job)
    const wake = this.#wake
    this.#wake = new OneShotLatch()
    wake.open()
  }

  /** Writes, for ever. */
  readonly run: Effect.Effect<never> = Effect.forever(Effect.suspend(() => {
    const [job] = this.#changed
    if (job === undefined) return this.#wake.await
    this.#changed.delete(job)
    return this.#save(job)
  }))

  #save(job: LiveJob): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      // as they are now: what changes while they are written is written next
      const { info, isDirty, result, unsaved: events } = job
      job.unsaved = []
      job.isDirty = false
      // together: what has happened is told once, wherever a manager is killed
      if (result !== undefined) yield* this.#persist(this.#store.finish(info, result, events))
      else if (isDirty) yield* this.#persist(this.#store.update(info, events))
      else if (events.length > 0) yield* this.#persist(this.#store.append(info.id, events))
      job.events.add(events)
      if (result !== undefined) job.finished.open()
      if (result !== undefined || (isDirty && info.state === "queued")) job.rested.open()
      job.tell()
    })
  }

  #persist<A>(write: Effect.Effect<A, StoreError>): Effect.Effect<void> {
    return write.pipe(
      Effect.tapError((failure) =>
        Effect.suspend(() => {
          const isNews = this.failure === undefined
          this.failure = failure
          if (!isNews) return Effect.void
          this.#onTurn()
          return Effect.logError(`the store cannot be written, and is tried again: ${failure.message}`)
        })
      ),
      Effect.retry(again),
      Effect.andThen(Effect.sync(() => {
        if (this.failure === undefined) return
        this.failure = undefined
        this.#onTurn()
      })),
      Effect.orDie
    )
  }
}
