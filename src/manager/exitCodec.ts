/** The exit of a job as JSON: its process encodes it and its submitter decodes it, both with the job's own Schemas. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { errorText, sendableCause, sendableDefect } from "../base/errorText.ts"
import { hasEnd, isNestedWithin, maxLevels } from "../base/nesting.ts"
import { isInstance } from "../base/valueText.ts"
import { withMessage } from "../base/withMessage.ts"
import { endless, errorOf, successOf, tooDeep } from "../internal/run/resultFit.ts"
import * as Job from "../Job.ts"

const codec = (job: Job.AnyContract) => Schema.toCodecJson(Schema.Exit(successOf(job), errorOf(job), Schema.Defect()))

const valuesOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<unknown> =>
  exit._tag === "Success"
    ? [exit.value]
    : exit.cause.reasons.flatMap((reason) => reason._tag === "Fail" ? [reason.error] : [])

/** Encodes an exit. One that does not match the Schemas of the job becomes a defect that says so. Never fails, never dies. */
export const encodeExit = (
  job: Job.AnyContract,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Schema.Json> => {
  const encode = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<Schema.Json, string> => {
    if (!valuesOf(exit).every(hasEnd)) return Effect.fail(endless)
    // safe: the Schemas of a job that crosses processes need no services, and this codec encodes to JSON
    const encoded = () => Schema.encodeUnknownEffect(codec(job))(exit) as Effect.Effect<Schema.Json, Schema.SchemaError>
    return Effect.flatMap(
      withMessage(encoded, (message) => message),
      (json) => isNestedWithin(json, maxLevels + 10) ? Effect.succeed(json) : Effect.fail(tooDeep)
    )
  }
  const sent = () => exit._tag === "Success" ? exit : Exit.failCause(sendableFailure(exit.cause))
  return Effect.catch(withMessage(() => encode(sent()), (message) => message), (why) => {
    const what = exit._tag === "Success" ? "" : `; it is ${errorText(exit.cause)}`
    const defect = new Error(`the exit of "${job.name}" does not match its Schemas: ${why}${what}`)
    return Effect.orDie(encode(Exit.die(defect)))
  })
}

const sendableFailure = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.map(
    sendableCause(cause),
    (error) =>
      isInstance(error, Job.ServiceError)
        ? new Job.ServiceError({
          service: error.service,
          phase: error.phase,
          message: error.message,
          cause: sendableDefect(error.cause)
        })
        : error
  )

export const decodeExit = (
  job: Job.AnyContract,
  json: Schema.Json
): Effect.Effect<Exit.Exit<unknown, unknown>, Schema.SchemaError> =>
  // safe: as above
  Schema.decodeUnknownEffect(codec(job))(json) as Effect.Effect<Exit.Exit<unknown, unknown>, Schema.SchemaError>
