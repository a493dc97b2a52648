/**
 * Runs jobs in this process. It opens no port and installs no signal handler.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { showValue } from "./base/illegalOption.ts"
import { cutText, valueText } from "./base/valueText.ts"
import { Environment, type JobRun, SubmitError, type SubmitOptions } from "./Environment.ts"
import { checkHosts } from "./host/hostChoice.ts"
import { parseAutostop } from "./internal/run/autostop.ts"
import { policyMillis } from "./internal/policy/policyMillis.ts"
import { CurrentRun } from "./internal/run/currentRun.ts"
import { Run } from "./internal/run/run.ts"
import { fitPayload } from "./internal/run/payload.ts"
import { RunObserver } from "./internal/run/runObserver.ts"
import { stoppableTask } from "./internal/run/stoppableTask.ts"
import { surroundingsOf } from "./internal/run/surroundings.ts"
import { awaitAsSubmitter, stopAll, type SubmittedJob, tieToSubmitter } from "./internal/run/submitter.ts"
import * as Job from "./Job.ts"
import * as Policy from "./StopPolicy.ts"

/**
 * An Environment in this process. Its release stops the jobs that still run, and waits for them.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Environment> = Layer.effect(
  Environment,
  Effect.gen(function*() {
    const jobs = new Map<string, SubmittedJob>()
    yield* Effect.addFinalizer(() => stopAll(jobs.values()))
    return Environment.of({
      submit: Effect.fnUntraced(function*(job, input, options) {
        if (options.id !== undefined && (typeof options.id !== "string" || options.id === "")) {
          return yield* new SubmitError({ job: job.name, reason: "id", message: "`id` must be a non-empty string" })
        }
        const { implementation, limitedServices, payload, policy } = yield* check(job, input, options)
        const autostop = yield* parseAutostop(options.autostop)
        const scope = yield* Effect.scope
        return yield* Effect.withFiber((submitter) => {
          const id = options.id ?? crypto.randomUUID()
          if (jobs.has(id)) {
            const message =
              `a job with the id "${id}" is running; choose another id, or wait until that job has stopped`
            return Effect.fail(new SubmitError({ job: job.name, reason: "id", message }))
          }
          const surroundings = surroundingsOf(submitter)
          const run = new Run({
            id,
            job: job.name,
            environment: "local",
            limits: policyMillis(policy),
            limitedServices,
            autostop,
            ...surroundings
          })
          const submitted = submittedJob(run)
          jobs.set(id, submitted)
          const untie = tieToSubmitter(submitter, scope, submitted)
          if (submitter.getRef(CurrentRun) === undefined) submitter.getRef(RunObserver)(run)
          surroundings.attach(stoppableTask(run))
          run.stopped.onOpen(() => {
            jobs.delete(id)
            untie()
          })
          run.start(implementation, payload, submitter.context)
          return Effect.succeed(jobRun(run, (result) => awaitAsSubmitter(submitter, result, submitted)))
        })
      })
    })
  })
)

/** Checks the job, its payload and its settings, before anything is started. */
const check = Effect.fnUntraced(function*(job: Job.AnyContract, input: unknown, options: SubmitOptions) {
  if (!Job.isJob(job)) {
    const name = Job.isContract(job) ? job.name : showValue(job)
    const message = `"${name}" is only a contract; to run it here, submit what its \`implement\` returns`
    return yield* new SubmitError({ job: name, reason: "job", message })
  }
  const config = yield* Effect.mapError(
    Policy.fromConfig,
    ({ message }) => new SubmitError({ job: job.name, reason: "settings", message })
  )
  yield* checkHosts
  const policy = yield* Policy.resolve([
    config,
    Policy.fromOptions(job.stopPolicy),
    Policy.fromOptions(options.stopPolicy)
  ])
  const payload = yield* Effect.mapError(
    fitPayload(job, input, (payload) =>
      // safe: a check of the type side needs no services, whatever the decoding of the same Schema needs
      Schema.decodeUnknownEffect(Schema.toType(job.payload))(payload) as Effect.Effect<unknown, Schema.SchemaError>),
    (message) => new SubmitError({ job: job.name, reason: "payload", message })
  )
  // the configuration holds for all jobs of a program: not each of them has every service
  const limitedServices = [job.stopPolicy, options.stopPolicy].flatMap((own) => Object.keys(own?.services ?? {}))
  return { implementation: job.implementation, limitedServices, payload, policy }
})

const submittedJob = (run: Run): SubmittedJob => {
  const stop = (reason: string) => run.stop({ trigger: "stopped", mode: "drain", reason })
  return {
    stop,
    stopAndWait: (reason) =>
      Effect.suspend(() => {
        stop(reason)
        return run.stopped.await
      })
  }
}

/** The reason goes into the report, which is JSON. */
const reasonText = (reason: unknown): string | undefined =>
  reason === undefined ? undefined : typeof reason === "string" ? cutText(reason) : valueText(reason)

const jobRun = (run: Run, awaited: <A>(result: Effect.Effect<A>) => Effect.Effect<A>): JobRun<unknown, unknown> => ({
  id: run.options.id,
  status: Effect.sync(() => run.status),
  stages: Effect.sync(() => run.stages.report()),
  events: run.events.stream,
  result: awaited(
    Effect.andThen(
      run.stopped.await,
      // safe: the latch opens when the result is there
      Effect.suspend(() => run.result === undefined ? Effect.never : Effect.succeed(run.result))
    ) as JobRun<unknown, never>["result"]
  ),
  stop: (options = {}) =>
    Effect.sync(() =>
      run.stop({ trigger: "stopped", mode: options.mode ?? "drain", reason: reasonText(options.reason) })
    )
})
