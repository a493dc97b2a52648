import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Change, JobInfo, JobStages, Overview } from "../models.ts"

/** The largest number of unread changes. A reader that has more gets an overview instead. */
const maxUnread = 10_000
/** The interval at which changed counters are emitted. */
const stagesMs = 500

/** The changes of all jobs, for any number of readers. A slow reader gets only the latest info of each job. */
export class ChangeFeed {
  readonly #readers = new Set<Reader>()

  /** The number of its readers. */
  get readers(): number {
    return this.#readers.size
  }

  /** Tells all readers that the info of a job has changed. */
  changed(info: JobInfo): void {
    // the readers get the same element, which is then encoded once
    const change = { _tag: "Job", info } as const
    for (const reader of this.#readers) reader.add(change)
  }

  /** Tells all readers that more has changed than the info of a job: each gets an overview. */
  invalidate(): void {
    for (const reader of this.#readers) reader.invalidate()
  }

  /** Emits an overview and then each change. */
  read<E>(overview: Effect.Effect<Overview, E>, stages: () => Iterable<JobStages>): Stream.Stream<Change, E> {
    return Stream.unwrap(Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          const reader = new Reader()
          this.#readers.add(reader)
          return reader
        }),
        (reader) => Effect.sync(() => void this.#readers.delete(reader))
      ),
      (reader) => Stream.merge(Stream.fromIterableEffectRepeat(reader.next(overview)), changedStages(stages))
    ))
  }
}

/** The changes that a reader has not read yet. */
type Unread =
  /** All that there is: an overview says it shorter, or is the first thing to read. */
  | { readonly _tag: "Overview" }
  /** The latest change of each job, in the order of their changes. */
  | { readonly _tag: "Changes"; readonly jobs: Map<string, JobChange> }

type JobChange = Extract<Change, { readonly _tag: "Job" }>

const overviewUnread: Unread = { _tag: "Overview" }

class Reader {
  #unread: Unread = overviewUnread
  #news = new OneShotLatch()

  add(change: JobChange): void {
    if (this.#unread._tag === "Overview") return
    const { jobs } = this.#unread
    const { id } = change.info
    // the job is deleted first, so that its latest change comes last
    jobs.delete(id)
    jobs.set(id, change)
    if (jobs.size > maxUnread) this.#unread = overviewUnread
    this.#news.open()
  }

  invalidate(): void {
    this.#unread = overviewUnread
    this.#news.open()
  }

  next<E>(overview: Effect.Effect<Overview, E>): Effect.Effect<ReadonlyArray<Change>, E> {
    return Effect.suspend(() => {
      const unread = this.#unread
      if (unread._tag === "Changes" && unread.jobs.size === 0) {
        this.#news = new OneShotLatch()
        return Effect.andThen(this.#news.await, this.next(overview))
      }
      // changes that come while the overview is made are read after it
      this.#unread = { _tag: "Changes", jobs: new Map() }
      return unread._tag === "Overview"
        ? Effect.map(overview, (all) => [all])
        : Effect.succeed([...unread.jobs.values()])
    })
  }
}

const changedStages = (stages: () => Iterable<JobStages>): Stream.Stream<Change> => {
  const emitted = new WeakSet<object>()
  return Stream.tick(stagesMs).pipe(
    Stream.flatMap(() =>
      Stream.fromIterable([...stages()].filter((job) => {
        if (job.stages.length === 0 || emitted.has(job.stages)) return false
        emitted.add(job.stages)
        return true
      }))
    )
  )
}
