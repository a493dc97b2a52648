import * as Cause from "effect/Cause"
import { isInstance } from "../../base/valueText.ts"
import { SubmitError } from "../../Environment.ts"
import { ServiceError } from "../../Job.ts"
import { PolicyError } from "../policy/policyError.ts"

/** Returns why a program was refused: a setting that cannot be used, or a submit. Returns undefined for any other failure. */
export const refusalOf = (cause: Cause.Cause<unknown>): PolicyError | SubmitError | undefined => {
  const error = Cause.squash(cause)
  // a limit that no service of the job has
  const refused = isInstance(error, ServiceError) ? error.cause : error
  return isInstance(refused, PolicyError) || isInstance(refused, SubmitError) ? refused : undefined
}
