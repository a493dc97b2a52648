import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Change, JobInfo, JobStages, Overview } from "../models.ts"

/** A reader that is behind by more jobs than this is told how all stands instead. */
const behind = 10_000
/** How often the counters of jobs are told, where they have changed. */
const stagesMs = 500

/** Those who watch all jobs. Each is told of every change; one that reads slowly, only how each job stands by then. */
export class Watchers {
  readonly #all = new Set<Watcher>()

  /** A job is new, or stands otherwise. */
  changed(info: JobInfo): void {
    for (const watcher of this.#all) watcher.take(info)
  }

  /** More has changed than where a job stands. */
  renew(): void {
    for (const watcher of this.#all) watcher.renew()
  }

  /** How all stands, and then each change. */
  watch<E>(overview: Effect.Effect<Overview, E>, stages: () => Iterable<JobStages>): Stream.Stream<Change, E> {
    return Stream.unwrap(Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          const watcher = new Watcher()
          this.#all.add(watcher)
          return watcher
        }),
        (watcher) => Effect.sync(() => void this.#all.delete(watcher))
      ),
      (watcher) => Stream.merge(Stream.fromIterableEffectRepeat(watcher.next(overview)), counters(stages))
    ))
  }
}

class Watcher {
  /** The jobs that have changed since it was told, as they stand now. */
  #changed = new Map<string, JobInfo>()
  #isStale = true
  #news = new OneShotLatch()

  take(info: JobInfo): void {
    // the last change comes last, whatever came before
    this.#changed.delete(info.id)
    this.#changed.set(info.id, info)
    if (this.#changed.size > behind) this.renew()
    this.#news.open()
  }

  renew(): void {
    this.#isStale = true
    this.#news.open()
  }

  next<E>(overview: Effect.Effect<Overview, E>): Effect.Effect<ReadonlyArray<Change>, E> {
    return Effect.suspend(() => {
      if (this.#isStale) {
        this.#isStale = false
        this.#changed.clear()
        return Effect.map(overview, (all) => [all])
      }
      if (this.#changed.size > 0) {
        const changed = [...this.#changed.values()]
        this.#changed.clear()
        return Effect.succeed(changed.map((info): Change => ({ _tag: "Job", info })))
      }
      this.#news = new OneShotLatch()
      return Effect.andThen(this.#news.await, this.next(overview))
    })
  }
}

/** The counters of the jobs that flow, as long as they do. */
const counters = (stages: () => Iterable<JobStages>): Stream.Stream<Change> => {
  const told = new WeakSet<object>()
  return Stream.tick(stagesMs).pipe(
    Stream.flatMap(() =>
      Stream.fromIterable([...stages()].filter((job) => {
        if (job.stages.length === 0 || told.has(job.stages)) return false
        told.add(job.stages)
        return true
      }))
    )
  )
}
