/** Sees to it that a job can be run as it was submitted: in its own process, and before, where its submit is checked. */
import * as Effect from "effect/Effect"
import { checkHosts } from "../../host/hostChoice.ts"
import { decodePayload, jobNamed } from "../../jobProcess/jobModule.ts"
import type * as Job from "../../Job.ts"
import * as Policy from "../../StopPolicy.ts"
import type { JobSpec } from "../../jobProcess/protocol.ts"

export interface Prepared {
  readonly job: Job.Any
  readonly payload: unknown
}

/** The job that a module exports by that name, and its payload. Fails with a message for people. */
export const prepare = Effect.fnUntraced(
  function*(exports: Readonly<Record<string, unknown>>, module: string, submission: JobSpec) {
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

/** The settings of a submission; what they are is checked when they are read. */
export const settingsOf = (submission: JobSpec | undefined): Policy.Settings | undefined =>
  // safe: `Policy.resolve` and all that take settings refuse what is none
  submission?.stopPolicy as Policy.Settings | undefined
