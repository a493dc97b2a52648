/** Prepares a submitted job: in its own process to run it, and in the inspector to check its submission. */
import * as Effect from "effect/Effect"
import { checkHosts } from "../../host/hostChoice.ts"
import { decodePayload, jobNamed } from "../../jobProcess/jobModule.ts"
import type * as Job from "../../Job.ts"
import * as Policy from "../../StopPolicy.ts"
import type { Submission } from "../models.ts"

export interface Prepared {
  readonly job: Job.Any
  readonly payload: unknown
}

/** Returns the job that a module exports, and its decoded payload. Fails with a message for people. */
export const prepareJob = Effect.fnUntraced(
  function*(exports: Readonly<Record<string, unknown>>, module: string, submission: Submission) {
    const job = yield* jobNamed(exports, module, submission.job)
    const payload = yield* decodePayload(job, submission.payload)
    yield* checkHosts
    yield* Policy.resolve([
      yield* Policy.fromConfig,
      Policy.fromOptions(job.stopPolicy),
      Policy.fromOptions(settingsOf(submission))
    ])
    const prepared: Prepared = { job, payload }
    return prepared
  },
  Effect.mapError((error) => typeof error === "string" ? error : error.message)
)

/** Returns the stop settings of a submission, which are not checked yet. */
export const settingsOf = (submission: Submission | undefined): Policy.Settings | undefined =>
  // safe: `Policy.resolve` refuses what cannot be used
  submission?.stopPolicy as Policy.Settings | undefined
