/** The errors that a job manager answers with. Each is an HTTP status and a JSON body of its fields. */
import * as Schema from "effect/Schema"

/** The manager has no job of this id, or no bundle of this hash. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  id: Schema.String,
  message: Schema.String
}, { httpApiStatus: 404 }) {}

/**
 * The request cannot be carried out as it is: its job is unknown, or its payload or a setting is not valid. Nothing was
 * started.
 */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { message: Schema.String }, {
  httpApiStatus: 400
}) {}

/** The body of the request is larger than the manager takes. */
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", { message: Schema.String }, {
  httpApiStatus: 413
}) {}

/** The manager failed at the request, by a fault of its own. What it has logged says why. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", { message: Schema.String }, {
  httpApiStatus: 500
}) {}

/** The request does not fit the state of the job: the job still runs, or another job has its id. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { message: Schema.String }, {
  httpApiStatus: 409
}) {}

/** The manager has as much to do or to keep as it may. Nothing was started; the same request may be answered later. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", { message: Schema.String }, {
  httpApiStatus: 429
}) {}

/** The manager takes no jobs, because it is being stopped or cannot write its store. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { message: Schema.String }, {
  httpApiStatus: 503
}) {}

/**
 * The store cannot be read or written, because a disk is full, or a database is locked or lost. With `ofValue` the store
 * works, but cannot hold this very value: another attempt fails, too.
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  message: Schema.String,
  ofValue: Schema.optionalKey(Schema.Boolean)
}, { httpApiStatus: 503 }) {}

/** The request has no bearer token, or one that the manager does not know. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { message: Schema.String }, {
  httpApiStatus: 401
}) {}

/** The client is known and its role does not allow the request. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { message: Schema.String }, {
  httpApiStatus: 403
}) {}
