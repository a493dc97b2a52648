import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { readLog } from "./jobLog.ts"
import type { JobStore, StoreError } from "../JobStore.ts"
import { NotFound } from "../Manager.ts"
import type { LiveJob } from "./liveJob.ts"
import type { LogLine, NumberedEvent } from "../models.ts"

/** How many events are read from the store at once. */
const page = 1_000

/** The events of a job after this one that are in the store. */
export const storedEvents = (
  store: JobStore["Service"],
  id: string,
  after: number
): Stream.Stream<NumberedEvent, StoreError> =>
  Stream.paginate(
    after,
    (after: number) =>
      Effect.map(
        store.events(id, after, page),
        (events) => [events, events.length < page ? Option.none() : Option.fromNullishOr(events.at(-1)?.seq)] as const
      )
  )

/** The events of a job after this one, and, while it is live, those that follow. */
export const eventsAfter = (
  store: JobStore["Service"],
  id: string,
  job: LiveJob | undefined,
  after: number
): Stream.Stream<NumberedEvent, NotFound | StoreError> => {
  if (job === undefined) return storedEvents(store, id, after)
  const hasSome = (events: ReadonlyArray<NumberedEvent>) => events.length > 0
  const isGone = () => new NotFound({ id, message: `job ${id} was removed while its events were read` })
  return Stream.suspend(() => {
    let read = after
    const unread = Effect.suspend(() => {
      const recent = job.events.after(read)
      return recent === undefined
        ? Effect.filterOrFail(store.events(id, read, page), hasSome, isGone)
        : Effect.succeed(recent)
    })
    return news(
      job,
      Effect.tap(unread, (events) =>
        Effect.sync(() => {
          read = events.at(-1)?.seq ?? read
        }))
    )
  })
}

/** The lines of a job's log after this one, and, while it is live, those that follow. */
export const linesAfter = (
  folder: string,
  id: string,
  job: LiveJob | undefined,
  after: number
): Stream.Stream<LogLine> =>
  Stream.suspend(() =>
    job === undefined ? Stream.fromIterable(readLog(folder, id, after)) : news(job, Effect.sync(job.log.reader(after)))
  )

/** What `unread` gives, and gives again at each piece of news of a job, until it has stopped. */
const news = <A, E>(job: LiveJob, unread: Effect.Effect<ReadonlyArray<A>, E>): Stream.Stream<A, E> =>
  Stream.fromPull(Effect.sync(() => {
    const pull: Effect.Effect<Arr.NonEmptyReadonlyArray<A>, E | Cause.Done> = Effect.suspend(() => {
      // in this order: what comes in between is read at the next turn
      const isOver = job.finished.isOpen
      const { news } = job
      return Effect.flatMap(unread, (found) => {
        if (Arr.isReadonlyArrayNonEmpty(found)) return Effect.succeed(found)
        return isOver ? Cause.done() : Effect.andThen(news.await, pull)
      })
    })
    return pull
  }))
