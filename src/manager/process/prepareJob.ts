/** Prepares a submitted job: in its own process to run it, and in the inspector to check its submission. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { checkHosts } from "../../host/hostChoice.ts"
import { parseAutostop } from "../../internal/run/autostop.ts"
import type * as Job from "../../Job.ts"
import { decodePayload, jobNamed } from "../../jobProcess/jobModule.ts"
import type { JobSpec } from "../../jobProcess/protocol.ts"
import * as Policy from "../../StopPolicy.ts"

export interface PreparedJob {
  readonly job: Job.Any
  readonly payload: unknown
  readonly stopPolicy: Policy.Settings
}

/** Returns the job that a module exports, and its decoded payload. Fails with a message for people. */
export const prepareJob = Effect.fnUntraced(
  function*(exports: Readonly<Record<string, unknown>>, module: string, spec: JobSpec) {
    const job = yield* jobNamed(exports, module, spec.job)
    const payload = yield* decodePayload(job, spec.payload)
    yield* checkHosts
    const sources = [
      yield* Policy.fromConfig,
      Policy.fromOptions(job.stopPolicy),
      Policy.fromOptions(settingsOf(spec))
    ]
    yield* Policy.resolve(sources)
    yield* parseAutostop(spec.autostop)
    // somebody waits for the result: a drain lets the run end, unless a setting says otherwise
    const waitsForRun = job.success !== Schema.Void && sources.every(({ settings }) => settings.drain === undefined)
    const stopPolicy = waitsForRun ? { ...settingsOf(spec), drain: "run" } as const : settingsOf(spec) ?? {}
    const prepared: PreparedJob = { job, payload, stopPolicy }
    return prepared
  },
  Effect.mapError((error) => typeof error === "string" ? error : error.message)
)

/** Returns the stop settings of a submission, which are not checked yet. */
export const settingsOf = (spec: JobSpec | undefined): Policy.Settings | undefined =>
  // safe: `Policy.resolve` refuses what cannot be used
  spec?.stopPolicy as Policy.Settings | undefined
