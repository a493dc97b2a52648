/** The Schemas of the streams of the API: server-sent events. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { NotFound, StoreError } from "./errors.ts"
import { Change, LogLine, Update } from "./models.ts"
import { JobEvent } from "../JobEvent.ts"

/** The interval of the heartbeats of each stream. */
export const heartbeatMs = 15_000

/**
 * The event that is sent at the start of every stream and then periodically. A reader that misses it treats the
 * connection as lost.
 */
const heartbeat = Schema.Struct({ event: Schema.Literal("heartbeat"), data: Schema.String })
const streamError = Schema.Union([NotFound, StoreError])

/** A stream of server-sent events. Each element has a number, which is the event's id for `Last-Event-ID`. */
const feed = <S extends Schema.Top>(element: S) =>
  HttpApiSchema.StreamSse({
    events: Schema.Union([
      Schema.Struct({
        id: Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0)),
        event: Schema.Literal("message"),
        data: Schema.fromJsonString(element)
      }),
      heartbeat
    ]),
    error: streamError
  })

/** The events of a job. */
export const events = feed(JobEvent)

/** The output lines of a job. */
export const logs = feed(LogLine)

/** A stream without numbers: each reader starts with an overview. */
const unnumbered = <S extends Schema.Top>(element: S) =>
  HttpApiSchema.StreamSse({
    events: Schema.Union([
      Schema.Struct({ event: Schema.Literal("message"), data: Schema.fromJsonString(element) }),
      heartbeat
    ]),
    error: streamError
  })

/** The changes of all jobs. */
export const changes = unnumbered(Change)

/** The updates of a page: the changes of all jobs, their counts, and the events and output of the job that is open. */
export const updates = unnumbered(Update)
