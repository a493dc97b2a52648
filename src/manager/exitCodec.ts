/** The exit of a job as JSON: its process encodes it and its submitter decodes it, both with the job's own Schemas. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Job from "../Job.ts"

/** The Schema of the success of jobs that declare none. Most return `undefined`, which JSON cannot express. */
const Anything = Schema.Union([Schema.Undefined, Schema.Json])

const codec = (job: Job.AnyContract) => {
  const { ast } = job.success
  const success: Schema.Top = SchemaAST.isUnknown(ast) || SchemaAST.isAny(ast) ? Anything : job.success
  return Schema.toCodecJson(Schema.Exit(success, Schema.Union([job.error, Job.ServiceError]), Schema.Defect()))
}

/** Encodes an exit that does not match the Schemas as a defect that says so. */
export const encodeExit = (
  job: Job.AnyContract,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Schema.Json> => {
  // safe: the Schemas of a job that crosses processes need no services, and this codec encodes to JSON
  const encode = Schema.encodeUnknownEffect(codec(job)) as (input: unknown) => Effect.Effect<
    Schema.Json,
    Schema.SchemaError
  >
  return Effect.catch(
    encode(exit),
    ({ message }) =>
      Effect.orDie(encode(Exit.die(new Error(`the exit of "${job.name}" does not match its Schemas: ${message}`))))
  )
}

export const decodeExit = (
  job: Job.AnyContract,
  json: Schema.Json
): Effect.Effect<Exit.Exit<unknown, unknown>, Schema.SchemaError> =>
  // safe: the Schemas of a job that crosses processes need no services
  Schema.decodeUnknownEffect(codec(job))(json) as Effect.Effect<Exit.Exit<unknown, unknown>, Schema.SchemaError>
