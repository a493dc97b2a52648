/** Encodes a job and its payload for submission. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseDuration } from "../../base/durationInput.ts"
import { showValue } from "../../base/illegalOption.ts"
import { SubmitError, type SubmitOptions } from "../../Environment.ts"
import { fitPayload } from "../../internal/run/payload.ts"
import * as Job from "../../Job.ts"
import * as Policy from "../../StopPolicy.ts"
import { JobId, type Submission } from "../models.ts"
import { encodeAutostop } from "./encodeAutostop.ts"

export type IdentifiedSubmission = Submission & { readonly id: string }

/** Returns a submission. Fails as the job itself would, if the payload, the id or a setting cannot be used. */
export const encodeSubmission = Effect.fnUntraced(
  function*(job: Job.AnyContract, payload: unknown, options: SubmitOptions) {
    if (!Job.isContract(job)) {
      return yield* new SubmitError({
        job: showValue(job),
        reason: "job",
        message: `${showValue(job)} is not a job; submit what \`Job.make\` returns`
      })
    }
    const id = options.id ?? crypto.randomUUID()
    if (!Schema.is(JobId)(id)) {
      return yield* new SubmitError({
        job: job.name,
        reason: "id",
        message: `\`id\` is ${showValue(id)}; expected 1 to 64 letters, digits, "-" or "_", a letter or digit first`
      })
    }
    const policy = Policy.fromOptions(options.stopPolicy)
    yield* Policy.resolve([Policy.fromOptions(job.stopPolicy), policy])
    const autostop = yield* encodeAutostop(options.autostop)
    const stopPolicy = settingsToJson(policy.settings)
    const submission: IdentifiedSubmission = {
      id,
      job: job.name,
      payload: yield* encodePayload(job, payload),
      autostop,
      ...(Object.keys(stopPolicy).length === 0 ? {} : { stopPolicy })
    }
    return submission
  }
)

const encodePayload = (job: Job.AnyContract, payload: unknown): Effect.Effect<Schema.Json, SubmitError> =>
  Effect.mapError(
    fitPayload(job, payload, (payload) =>
      // safe: the payload of a job that is sent elsewhere needs its Schema alone
      Schema.encodeUnknownEffect(Schema.toCodecJson(job.payload))(payload) as Effect.Effect<
        Schema.Json,
        Schema.SchemaError
      >),
    (message) => new SubmitError({ job: job.name, reason: "payload", message })
  )

/** Encodes checked settings: durations as milliseconds, and an infinite one as text. */
const settingsToJson = (settings: Policy.Settings | Readonly<Record<string, unknown>>): Record<string, Schema.Json> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([field, value]): ReadonlyArray<readonly [string, Schema.Json]> => {
      if (value === undefined) return []
      if (field === "services") return [[field, servicesToJson(value)]]
      if (typeof value === "string" || (typeof value === "number" && Number.isFinite(value))) return [[field, value]]
      return [[field, durationToJson(value)]]
    })
  )

const servicesToJson = (services: unknown): Schema.Json =>
  Object.fromEntries(
    // safe: they have been checked
    Object.entries(services as NonNullable<Policy.Settings["services"]>).map(([name, { release }]) => [
      name,
      release === undefined ? {} : { release: durationToJson(release) }
    ])
  )

const durationToJson = (value: unknown): Schema.Json => {
  const ms = Duration.toMillis(parseDuration(value) ?? Duration.infinity)
  return ms === Infinity ? "Infinity" : ms
}
