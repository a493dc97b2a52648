/**
 * All that a page shows, as one stream: a browser opens only six connections to one server, and has one for each of its pages.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { NotFound, StoreError } from "../errors.ts"
import type { Manager } from "../Manager.ts"
import type { Change, JobInfo, Update } from "../models.ts"

/** The largest number of jobs of an overview. */
const mostJobs = 500
/** The interval at which changed counts are emitted. */
const countsMs = 1_000

export interface OpenJob {
  /** The id of the job that is open. */
  readonly job?: string
  /** The number of the last event that the page has. */
  readonly after?: number
  /** The number of the last output line that the page has; without it there is no output. */
  readonly line?: number
}

/** Returns the feed of each page. All pages share the counts, which the store makes. */
export const makePageFeed = (
  manager: Manager["Service"]
): (open: OpenJob) => Stream.Stream<Update, StoreError> => {
  const counts = Effect.runSync(Effect.cachedWithTTL(countsOf(manager), countsMs))
  return (open) =>
    Stream.suspend(() => {
      // a page needs the overview before all else
      const begun = new OneShotLatch()
      const job = Stream.catchTag(
        openJob(manager, open),
        "NotFound",
        ({ id }) => Stream.succeed<Update>({ _tag: "Gone", id })
      )
      return Stream.map(manager.changes, shortened).pipe(
        Stream.tap(() => Effect.sync(() => begun.open())),
        Stream.merge(Stream.unwrap(Effect.as(begun.await, Stream.merge(changedCounts(counts), job))))
      )
    })
}

/** Keeps the jobs that stop, and of the others the latest. */
const shortened = (change: Change): Change => {
  if (change._tag !== "Overview" || change.jobs.length <= mostJobs) return change
  return { ...change, jobs: first(change.jobs, mostJobs), shortened: true }
}

const first = (jobs: ReadonlyArray<JobInfo>, most: number): ReadonlyArray<JobInfo> =>
  jobs.toSorted((a, b) =>
    Number(b.state === "stopping") - Number(a.state === "stopping") ||
    (a.submittedAt < b.submittedAt ? 1 : -1)
  ).slice(0, most)

type CountsUpdate = Extract<Update, { readonly _tag: "Counts" }>

const countsOf = (manager: Manager["Service"]): Effect.Effect<CountsUpdate, StoreError> =>
  Effect.map(
    Effect.all([manager.counts, manager.isReady, Clock.currentTimeMillis]),
    ([counts, ready, now]) => ({ _tag: "Counts", at: new Date(now).toISOString(), ready, counts })
  )

/** A store that cannot be read has no counts for now: the rest of the feed goes on. */
const changedCounts = (counts: Effect.Effect<CountsUpdate, StoreError>): Stream.Stream<Update> =>
  Stream.tick(countsMs).pipe(
    // the overview has the first counts
    Stream.drop(1),
    Stream.mapEffect(() => Effect.match(counts, { onFailure: () => [], onSuccess: (found) => [found] })),
    Stream.flatMap(Stream.fromIterable),
    Stream.changesWith((a, b) => textOf(a) === textOf(b))
  )

const textOf = ({ counts, ready }: CountsUpdate): string => JSON.stringify([counts, ready])

const openJob = (
  manager: Manager["Service"],
  { after = 0, job: id, line }: OpenJob
): Stream.Stream<Update, NotFound | StoreError> => {
  if (id === undefined) return Stream.empty
  const events = Stream.map(
    manager.events(id, { after, follow: true }),
    ({ event, seq }): Update => ({ _tag: "Event", id, seq, event })
  )
  if (line === undefined) return events
  const lines = manager.logs(id, { after: line, follow: true })
  return Stream.merge(events, Stream.map(lines, (line): Update => ({ _tag: "Line", id, line })))
}
