/** How a job ended, as JSON: its process encodes it, whoever asked for it decodes it, both with the job's own Schemas. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Job from "../Job.ts"

/** A job that declares no success may still return something, and mostly returns nothing, which JSON has no word for. */
const Anything = Schema.Union([Schema.Undefined, Schema.Json])

const codec = (job: Job.AnyContract) => {
  const { ast } = job.success
  const success: Schema.Top = SchemaAST.isUnknown(ast) || SchemaAST.isAny(ast) ? Anything : job.success
  return Schema.toCodecJson(Schema.Exit(success, Schema.Union([job.error, Job.ServiceError]), Schema.Defect()))
}

/** What the Schemas cannot carry becomes a defect that says so. */
export const encodeExit = (
  job: Job.AnyContract,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Schema.Json> => {
  // safe: the Schemas of a job that crosses processes have nothing but themselves; JSON is what this codec is for
  const encode = Schema.encodeUnknownEffect(codec(job)) as (input: unknown) => Effect.Effect<
    Schema.Json,
    Schema.SchemaError
  >
  return Effect.catch(
    encode(exit),
    ({ message }) =>
      Effect.orDie(encode(Exit.die(new Error(`how "${job.name}" ended does not fit its Schemas: ${message}`))))
  )
}

export const decodeExit = (
  job: Job.AnyContract,
  json: Schema.Json
): Effect.Effect<Exit.Exit<unknown, unknown>, Schema.SchemaError> =>
  // safe: as above
  Schema.decodeUnknownEffect(codec(job))(json) as Effect.Effect<Exit.Exit<unknown, unknown>, Schema.SchemaError>
