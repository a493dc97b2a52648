/** The Environment of `RemoteEnvironment.layer`, over the typed client of the API. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Environment, SubmitError, type SubmitOptions } from "../../Environment.ts"
import { awaitAsSubmitter, stopAll, tieToSubmitter } from "../../internal/run/submitter.ts"
import { parseDuration } from "../../base/durationInput.ts"
import * as Job from "../../Job.ts"
import { wireAutostop } from "./wireAutostop.ts"
import type { Bundled } from "../code/bundler.ts"
import { backoff, type Client, isPassing, makeClient, submitBundled, tell } from "./client.ts"
import { JobId, type Submission } from "../models.ts"
import { RemoteRun } from "./remoteRun.ts"
import { type RemoteOptions, RunOptions } from "../../RemoteEnvironment.ts"
import { wireRunOptions } from "./wireRunOptions.ts"
import * as Policy from "../../StopPolicy.ts"

/** The manager hears of each job three times before it gives it up. */
const leaseMs = 15_000
const renewMs = 5_000

/** See `RemoteEnvironment.layer`. */
export const layer = (options: RemoteOptions): Layer.Layer<Environment> =>
  Layer.effect(
    Environment,
    Effect.gen(function*() {
      const client = yield* makeClient(options)
      const fibers = yield* Scope.make()
      const runs = new Set<RemoteRun>()
      const silenceMs = Duration.toMillis(options.silence ?? "30 seconds")
      const bundles = new Map<string, Bundled>()
      /** What the job brings along; nothing where it has to be there. */
      const bundleOf = Effect.fnUntraced(function*({ module, name }: Job.AnyContract) {
        if (module === undefined || options.upload === false) return undefined
        const known = bundles.get(module)
        if (known !== undefined) return known
        const { bundle } = yield* Effect.promise(() => import("../code/bundler.ts"))
        const made = yield* Effect.mapError(bundle(module), (message) =>
          new SubmitError({ job: name, reason: "bundle", message }))
        bundles.set(module, made)
        return made
      })
      const lease = options.onDisconnect === "stop" ? { leaseMs } : {}
      yield* Effect.addFinalizer((exit) =>
        Effect.andThen(stopAll(runs), Scope.close(fibers, exit))
      )
      const submitted = (
        job: Job.AnyContract,
        id: string,
        caller: Fiber.Fiber<unknown, unknown>,
        scope: Scope.Scope
      ) => {
        const run = new RemoteRun({
          id,
          job,
          client,
          context: caller.context,
          scope: fibers,
          silenceMs,
          onGone: () => {
            runs.delete(run)
            disown()
          }
        })
        runs.add(run)
        const disown = tieToSubmitter(caller, scope, run)
        if (options.onDisconnect === "stop") run.keepAlive(renewMs)
        const { jobRun } = run
        return { ...jobRun, result: awaitAsSubmitter(caller, jobRun.result, run) }
      }
      return Environment.of({
        submit: Effect.fnUntraced(function*(job, input, submit) {
          const scope = yield* Effect.scope
          const checked = yield* check(job, input, submit)
          const runOptions = yield* wireRunOptions(yield* RunOptions)
          const bundled = yield* bundleOf(job)
          const submission = { ...checked, ...lease, ...runOptions, ...(bundled && { bundle: bundled.hash }) }
          return yield* Effect.uninterruptibleMask((restore) =>
            Effect.andThen(
              restore(send(client, options.url, submission, bundled)),
              // from here on its caller can be interrupted: the job is theirs
              Effect.withFiber((caller) => Effect.succeed(submitted(job, submission.id, caller, scope)))
            )
          )
        })
      })
    })
  )

/** What is submitted, as JSON. Fails as the job would where it runs. */
const check = Effect.fnUntraced(function*(job: Job.AnyContract, input: unknown, options: SubmitOptions) {
  if (!Job.isContract(job)) {
    return yield* new SubmitError({
      job: String(job),
      reason: "job",
      message: `${String(job)} is not a job; submit what \`Job.make\` returns`
    })
  }
  const refuse = (reason: "id" | "payload", message: string) => new SubmitError({ job: job.name, reason, message })
  const id = options.id ?? crypto.randomUUID()
  if (!Schema.is(JobId)(id)) {
    return yield* refuse(
      "id",
      "`id` is malformed; expected 1 to 64 letters, digits, \"-\" or \"_\", a letter or digit first"
    )
  }
  const policy = Policy.fromOptions(options.stopPolicy)
  yield* Policy.resolve([Policy.fromOptions(job.stopPolicy), policy])
  const autostop = yield* wireAutostop(options.autostop)
  // safe: what encodes a payload that is sent elsewhere is its Schema alone
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(job.payload)) as (
    input: unknown
  ) => Effect.Effect<Schema.Json, Schema.SchemaError>
  // a job without a payload may be given none
  const encoded = input === undefined ? Effect.catch(encode(undefined), () => encode({})) : encode(input)
  const payload = yield* Effect.mapError(
    encoded,
    ({ message }) => refuse("payload", `the payload of "${job.name}" does not fit its Schema: ${message}`)
  )
  const stopPolicy = settingsToJson(policy.settings)
  return {
    id,
    job: job.name,
    payload,
    autostop,
    ...(Object.keys(stopPolicy).length === 0 ? {} : { stopPolicy })
  } satisfies Submission
})

/** The settings that were checked; durations as milliseconds, or as text for one without an end. */
const settingsToJson = (settings: Policy.Settings | Readonly<Record<string, unknown>>): Record<string, Schema.Json> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([field, value]): ReadonlyArray<readonly [string, Schema.Json]> => {
      if (value === undefined) return []
      if (typeof value === "string" || (typeof value === "number" && Number.isFinite(value))) return [[field, value]]
      const ms = Duration.toMillis(parseDuration(value) ?? Duration.infinity)
      return [[field, ms === Infinity ? "Infinity" : ms]]
    })
  )

/** A submit that was not answered is sent again: with its id it is the same job. */
const tries = 3

const send = (
  client: Client,
  url: string,
  submission: Submission & { readonly id: string },
  bundled: Bundled | undefined
) => {
  const { id, job } = submission
  const submit = submitBundled(client, submission, bundled)
  // whoever is interrupted before the answer may have a job that nobody knows of
  const abandon = Effect.gen(function*() {
    for (let failures = 0; failures < tries; failures++) {
      const stop = client.jobs.stop({
        params: { id },
        payload: { reason: "the fiber that submitted it was interrupted" }
      })
      const stopped = yield* Effect.result(Effect.timeout(stop, "2 seconds"))
      if (stopped._tag === "Success") return
      yield* backoff(failures)
    }
  })
  return Effect.gen(function*() {
    for (let failures = 0;;) {
      const submitted = yield* Effect.result(submit)
      if (submitted._tag === "Success") return
      const error = submitted.failure
      const mayPass = isPassing(error) && error._tag !== "Unavailable" && error._tag !== "StoreError"
      if (!mayPass || ++failures === tries) {
        const message = mayPass ? `the manager at ${url} cannot be reached: ${tell(error)}` : tell(error)
        return yield* new SubmitError({ job, reason: mayPass ? "unreachable" : "refused", message })
      }
      yield* backoff(failures)
    }
  }).pipe(Effect.onInterrupt(() => abandon))
}
