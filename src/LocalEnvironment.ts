/**
 * Runs jobs in this process. It opens no port and installs no signal handler.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import { Environment, type JobRun, SubmitError, type SubmitOptions } from "./Environment.ts"
import { checkHosts } from "./host/hostChoice.ts"
import { parseAutostop } from "./internal/run/autostop.ts"
import { awaitedBy, belongTo, type Owned, stopAll } from "./internal/run/ownership.ts"
import { policyMillis } from "./internal/policy/policyMillis.ts"
import { CurrentRun } from "./internal/run/currentRun.ts"
import { Run } from "./internal/run/run.ts"
import { RunObserver } from "./internal/run/runObserver.ts"
import { stoppableTask } from "./internal/run/stoppableTask.ts"
import * as Job from "./Job.ts"
import { CurrentProcess } from "./process/processContext.ts"
import * as Policy from "./StopPolicy.ts"

/**
 * An Environment in this process. Releasing it stops the jobs that still run, and waits for them.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Environment> = Layer.effect(
  Environment,
  Effect.gen(function*() {
    const runs = new Map<string, Owned>()
    yield* Effect.addFinalizer(() => stopAll(runs.values()))
    return Environment.of({
      submit: Effect.fnUntraced(function*(job, input, options) {
        if (options.id !== undefined && (typeof options.id !== "string" || options.id === "")) {
          return yield* new SubmitError({ job: job.name, message: "the id is no text; expected one that is not empty" })
        }
        const { implementation, payload, policy } = yield* check(job, input, options)
        const autostop = yield* parseAutostop(options.autostop)
        return yield* Effect.withFiber((caller) => {
          const id = options.id ?? crypto.randomUUID()
          if (runs.has(id)) {
            return Effect.fail(new SubmitError({ job: job.name, message: `a job with the id ${id} is running` }))
          }
          const { attach, leftovers } = caller.getRef(CurrentProcess)
          const run = new Run({
            id,
            job: job.name,
            environment: "local",
            limits: policyMillis(policy),
            autostop,
            clock: caller.getRef(Clock.Clock),
            scheduler: caller.getRef(Scheduler.Scheduler),
            attach,
            leftovers
          })
          const owned = ownedOf(run)
          runs.set(id, owned)
          const disown = belongTo(caller, owned)
          if (caller.getRef(CurrentRun) === undefined) caller.getRef(RunObserver)(run)
          attach(stoppableTask(run))
          run.stopped.onOpen(() => {
            runs.delete(id)
            disown()
          })
          run.start(implementation, payload, caller.context)
          return Effect.succeed(jobRun(run, (result) => awaitedBy(caller, result, owned)))
        })
      })
    })
  })
)

const check = Effect.fnUntraced(function*(job: Job.AnyContract, input: unknown, options: SubmitOptions) {
  if (!Job.isJob(job)) {
    const name = Job.isContract(job) ? job.name : String(job)
    return yield* new SubmitError({ job: name, message: `"${name}" is a contract: to run here it needs its implement` })
  }
  const config = yield* Effect.mapError(
    Policy.fromConfig,
    (error) => new SubmitError({ job: job.name, message: error.message })
  )
  yield* checkHosts
  const policy = yield* Policy.resolve([
    config,
    Policy.fromOptions(job.stopPolicy),
    Policy.fromOptions(options.stopPolicy)
  ])
  const decode = Schema.decodeUnknownEffect(Schema.toType(job.payload))
  // a job without a payload may be given none
  const decoded = input === undefined ? Effect.catch(decode(undefined), () => decode({})) : decode(input)
  const payload = yield* Effect.mapError(
    // a check of what is there needs no services, whatever the decoding of the same Schema needs
    decoded as Effect.Effect<unknown, Schema.SchemaError>,
    (error) => new SubmitError({ job: job.name, message: `the payload of "${job.name}": ${error.message}` })
  )
  return { implementation: job.implementation, payload, policy }
})

const ownedOf = (run: Run): Owned => {
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

const jobRun = (run: Run, awaited: <A>(result: Effect.Effect<A>) => Effect.Effect<A>): JobRun<unknown, unknown> => ({
  id: run.options.id,
  status: Effect.sync(() => run.status),
  stages: Effect.sync(() => run.stages.report()),
  events: run.events.stream,
  result: awaited(
    Effect.andThen(
      run.stopped.await,
      // safe: the notice opens when the result is there
      Effect.suspend(() => run.result === undefined ? Effect.never : Effect.succeed(run.result))
    ) as JobRun<unknown, never>["result"]
  ),
  stop: (options = {}) =>
    Effect.sync(() => run.stop({ trigger: "stopped", mode: options.mode ?? "drain", reason: options.reason }))
})
