/** The Environment of `RemoteEnvironment.layer`, over the typed client of the API. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Environment, SubmitError } from "../../Environment.ts"
import { awaitAsSubmitter, stopAll, tieToSubmitter } from "../../internal/run/submitter.ts"
import type * as Job from "../../Job.ts"
import type { Bundled } from "../code/bundler.ts"
import { readLimitMs } from "../readSettings.ts"
import { tokenFault, tokenText } from "../token.ts"
import { type RemoteOptions, RunOptions } from "../remoteOptions.ts"
import { makeClient } from "./apiClient.ts"
import { encodeRunOptions } from "./encodeRunOptions.ts"
import { encodeSubmission } from "./encodeSubmission.ts"
import { RemoteRun } from "./remoteRun.ts"
import { submitJob } from "./submitJob.ts"

/** A lease is renewed three times before it expires. */
const leaseMs = 15_000
const renewalMs = 5_000

export const layer = (options: RemoteOptions): Layer.Layer<Environment> =>
  Layer.effect(
    Environment,
    Effect.gen(function*() {
      const { token } = options
      const fault = token === undefined ? undefined : tokenFault(tokenText(token))
      if (fault !== undefined) return yield* Effect.die(new Cause.IllegalArgumentError(`the token ${fault}`))
      const silenceMs = yield* Effect.orDie(readLimitMs("silence", options.silence ?? "30 seconds"))
      const client = yield* makeClient(options)
      const fibers = yield* Scope.make()
      const runs = new Set<RemoteRun>()
      const isLeased = options.onDisconnect === "stop"
      const bundles = new Map<string, Bundled>()
      /** Returns the bundle of a job that names its module, or `undefined` if the job is registered at the manager. */
      const bundleOf = Effect.fnUntraced(function*({ module, name }: Job.AnyContract) {
        if (module === undefined || options.upload === false) return undefined
        const known = bundles.get(module)
        if (known !== undefined) return known
        const { bundle } = yield* Effect.promise(() => import("../code/bundler.ts"))
        const bundled = yield* Effect.mapError(bundle(module), (message) =>
          new SubmitError({ job: name, reason: "bundle", message }))
        bundles.set(module, bundled)
        return bundled
      })
      yield* Effect.addFinalizer((exit) =>
        Effect.andThen(stopAll(runs), Scope.close(fibers, exit))
      )
      const started = (
        job: Job.AnyContract,
        id: string,
        submitter: Fiber.Fiber<unknown, unknown>,
        scope: Scope.Scope
      ) => {
        const run = new RemoteRun({
          id,
          job,
          client,
          context: submitter.context,
          scope: fibers,
          silenceMs,
          onGone: () => {
            runs.delete(run)
            disown()
          }
        })
        runs.add(run)
        const disown = tieToSubmitter(submitter, scope, run)
        if (isLeased) run.renewLease(renewalMs)
        const { jobRun } = run
        return { ...jobRun, result: awaitAsSubmitter(submitter, jobRun.result, run) }
      }
      return Environment.of({
        submit: Effect.fnUntraced(function*(job, payload, submitOptions) {
          const scope = yield* Effect.scope
          const encoded = yield* encodeSubmission(job, payload, submitOptions)
          const runOptions = yield* encodeRunOptions(yield* RunOptions)
          const bundled = yield* bundleOf(job)
          const submission = {
            ...encoded,
            ...runOptions,
            ...(isLeased ? { leaseMs } : {}),
            ...(bundled && { bundle: bundled.hash })
          }
          return yield* Effect.uninterruptibleMask((restore) =>
            Effect.andThen(
              restore(submitJob(client, options.url, submission, bundled)),
              // from here on the job belongs to its submitter, which can be interrupted
              Effect.withFiber((submitter) => Effect.succeed(started(job, submission.id, submitter, scope)))
            )
          )
        })
      })
    })
  )
