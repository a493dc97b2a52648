/** The events and output lines of one job as streams, from the store or log and then as they come. */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { NotFound, type StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { LogQuery } from "../Manager.ts"
import type { LogLine, NumberedEvent } from "../models.ts"
import type { ActiveJob } from "./activeJob.ts"
import { readLog } from "./jobLog.ts"
import { selectedLines } from "./logSelection.ts"

/** The number of events that are read from the store at once. */
const pageSize = 1_000

/** Emits the stored events after number `after`. */
export const storedEvents = (
  store: JobStore["Service"],
  id: string,
  after: number
): Stream.Stream<NumberedEvent, StoreError> =>
  Stream.paginate(
    after,
    (after: number) =>
      Effect.map(
        store.events(id, after, pageSize),
        (events) =>
          [events, events.length < pageSize ? Option.none() : Option.fromNullishOr(events.at(-1)?.seq)] as const
      )
  )

/** Emits the events after number `after`; if `job` is given, also later ones until it has stopped. */
export const eventFeed = (
  store: JobStore["Service"],
  id: string,
  job: ActiveJob | undefined,
  after: number
): Stream.Stream<NumberedEvent, NotFound | StoreError> => {
  if (job === undefined) return storedEvents(store, id, after)
  const isNotEmpty = (events: ReadonlyArray<NumberedEvent>) => events.length > 0
  const removed = () => new NotFound({ id, message: `job ${id} was removed while its events were read` })
  return Stream.suspend(() => {
    let read = after
    const unread = Effect.suspend(() => {
      const recent = job.events.after(read)
      return recent === undefined
        ? Effect.filterOrFail(store.events(id, read, pageSize), isNotEmpty, removed)
        : Effect.succeed(recent)
    })
    return untilFinished(
      job,
      Effect.tap(unread, (events) =>
        Effect.sync(() => {
          read = events.at(-1)?.seq ?? read
        }))
    )
  })
}

/** Emits the output lines after number `after` that `query` selects; if `job` is given, also later ones until it has stopped. */
export const logFeed = (
  folder: string,
  id: string,
  job: ActiveJob | undefined,
  after: number,
  query: LogQuery = {}
): Stream.Stream<LogLine> =>
  Stream.suspend(() => {
    if (job !== undefined) return untilFinished(job, selectedLines(job.log.reader(after), query))
    const pieces = readLog(folder, id, after)
    return untilEmpty(selectedLines(() => pieces.next().value ?? [], query))
  })

/** Emits what `read` returns until it returns nothing. A piece is read when the one before has been taken. */
const untilEmpty = <A>(read: Effect.Effect<ReadonlyArray<A>>): Stream.Stream<A> =>
  Stream.fromPull(
    Effect.succeed(
      Effect.flatMap(read, (found) => Arr.isReadonlyArrayNonEmpty(found) ? Effect.succeed(found) : Cause.done())
    )
  )

/** Emits what `unread` returns, at each news of the job until the job has stopped. */
const untilFinished = <A, E>(job: ActiveJob, unread: Effect.Effect<ReadonlyArray<A>, E>): Stream.Stream<A, E> =>
  Stream.fromPull(Effect.sync(() => {
    const pull: Effect.Effect<Arr.NonEmptyReadonlyArray<A>, E | Cause.Done> = Effect.suspend(() => {
      // both are read before `unread`, so that news which comes in between is read at the next turn
      const isFinished = job.finished.isOpen
      const { news } = job
      return Effect.flatMap(unread, (found) => {
        if (Arr.isReadonlyArrayNonEmpty(found)) return Effect.succeed(found)
        return isFinished ? Cause.done() : Effect.andThen(news.await, pull)
      })
    })
    return pull
  }))
