import { Environment, Job, LocalEnvironment, type StopPolicy, type StopReport } from "autostop"
import { Effect, Exit, Layer, type Scope } from "effect"

export interface JobOptions<R> {
  readonly services?: Layer.Layer<R> | undefined
  readonly stopPolicy?: StopPolicy.Settings | undefined
  /** What observes the job; nothing by default. */
  readonly observability?: Layer.Layer<never> | undefined
}

/** Runs an effect as a job in this process, to its report. */
export const runJob = <A, R = never>(
  run: Effect.Effect<A, never, R | Scope.Scope>,
  options: JobOptions<R> = {}
): Promise<{ readonly value: A; readonly report: StopReport }> => {
  let value: A
  const job = Job.make("bench", {
    services: options.services,
    stopPolicy: options.stopPolicy,
    run: () =>
      Effect.map(run, (result) => {
        value = result
      })
  })
  return Environment.submit(job, {}).pipe(
    Effect.flatMap((run) => run.result),
    Effect.flatMap(({ exit, report }) =>
      Exit.isSuccess(exit) ? Effect.succeed({ value, report }) : Effect.die(exit.cause)
    ),
    Effect.scoped,
    Effect.provide(Layer.merge(LocalEnvironment.layer, options.observability ?? Layer.empty)),
    Effect.runPromise
  )
}
