/**
 * Checks that the result or the error of a run fits the Schemas of its job, so that it can be sent elsewhere. A job ends
 * alike here and at a manager: one whose result nobody could read has failed.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { errorText } from "../../base/errorText.ts"
import { oneLine } from "../../base/format.ts"
import { showValue } from "../../base/illegalOption.ts"
import { jsonFault } from "../../base/jsonFault.ts"
import { hasEnd, isNestedWithin, maxLevels } from "../../base/nesting.ts"
import { attempt } from "../../base/valueText.ts"
import { withMessage } from "../../base/withMessage.ts"
import * as Job from "../../Job.ts"

/** For jobs whose Schema takes any value: most return `undefined`, which JSON cannot express. */
const Anything = Schema.Union([Schema.Undefined, Schema.Json])

/** Returns the Schema of the result of a job. */
export const successOf = ({ success }: Job.AnyContract): Schema.Top =>
  SchemaAST.isUnknown(success.ast) || SchemaAST.isAny(success.ast) ? Anything : success

/** Returns the Schema of the failures of a job. */
export const errorOf = ({ error }: Job.AnyContract): Schema.Top => Schema.Union([error, Job.ServiceError])

export const endless = "its getters return objects with getters, without an end"
export const tooDeep = `it has more than ${maxLevels} levels`

/** Encodes a value as JSON. Fails with a message for people that says what does not fit, and where. */
const encode = (schema: Schema.Top, value: unknown): Effect.Effect<Schema.Json, string> => {
  if (!hasEnd(value)) return Effect.fail(endless)
  const encoded = withMessage(
    // safe: the Schemas of a job that crosses processes need no services, and this codec encodes to JSON
    () =>
      Schema.encodeUnknownEffect(Schema.toCodecJson(schema))(value) as Effect.Effect<Schema.Json, Schema.SchemaError>,
    oneLine
  )
  return Effect.flatMap(Effect.mapError(encoded, (why) => schema === Anything ? placed(value, why) : why), (json) => {
    if (!isNestedWithin(json)) return Effect.fail(tooDeep)
    // what a text cannot hold cannot be stored or sent
    return attempt(() => JSON.stringify(json)) === undefined
      ? Effect.fail("it cannot be written as JSON, because it is too large or its `toJSON` throws")
      : Effect.succeed(json)
  })
}

/** Adds where the fault is to a message of a Schema that takes any JSON, which does not say it. */
const placed = (value: unknown, why: string): string => {
  const path = jsonFault(value) ?? ""
  return path === "" ? why : `${why} at ${path}`
}

/** Encodes the result of a job as JSON. Fails with a message for people if its Schema cannot. */
export const encodeSuccess = (job: Job.AnyContract, value: unknown): Effect.Effect<Schema.Json, string> =>
  encode(successOf(job), value)

/** Runs the `run` of a job. It dies if its result or its error does not fit the Schemas of the job. */
export const fitted = <R>(
  job: Job.AnyContract,
  run: Effect.Effect<unknown, unknown, R>
): Effect.Effect<unknown, unknown, R> => {
  const checked = SchemaAST.isVoid(job.success.ast) ? run : Effect.tap(run, (value) =>
    Effect.catch(
      encodeSuccess(job, value),
      (why) =>
        Effect.die(new Error(`the result of "${job.name}" does not fit its Schema: ${why}; it is ${showValue(value)}`))
    ))
  return Effect.catchCause(checked, (cause) =>
    cause.reasons.some(({ _tag }) => _tag === "Fail")
      ? Effect.flatMap(fittedCause(job, cause), Effect.failCause)
      : Effect.failCause(cause))
}

/** Replaces each error that does not fit by a defect that says so, and whose cause is that error. */
const fittedCause = (job: Job.AnyContract, cause: Cause.Cause<unknown>): Effect.Effect<Cause.Cause<unknown>> =>
  Effect.gen(function*() {
    const reasons: Array<Cause.Reason<unknown>> = []
    for (const reason of cause.reasons) {
      const why = reason._tag === "Fail" ? yield* misfit(errorOf(job), reason.error) : undefined
      reasons.push(why === undefined || reason._tag !== "Fail" ? reason : misfitReason(job, reason, why))
    }
    return Cause.fromReasons(reasons)
  })

/** Returns why a value cannot be encoded, if it cannot. */
const misfit = (schema: Schema.Top, value: unknown): Effect.Effect<string | undefined> =>
  Effect.match(encode(schema, value), { onFailure: (why) => why, onSuccess: () => undefined })

const misfitReason = (job: Job.AnyContract, reason: Cause.Fail<unknown>, why: string): Cause.Reason<unknown> => {
  const text = `the error of "${job.name}" does not fit its Schema: ${why}`
  const error = new Error(`${text}; it is ${errorText(Cause.fail(reason.error))}`, { cause: reason.error })
  return Cause.makeDieReason(error).annotate(Cause.reasonAnnotations(reason))
}
