/** A job does not outlive the Scope that it was submitted in, nor an interrupt of the fiber that submitted it. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

/** A job as its submitter's lifetime sees it. */
export interface SubmittedJob {
  /** Asks for a stop and returns at once. */
  readonly stop: (reason: string) => void
  readonly stopAndWait: (reason: string) => Effect.Effect<void>
}

type Submitter = Fiber.Fiber<unknown, unknown>

const interrupted = "the fiber that submitted it was interrupted"
const closed = "the scope it was submitted in closed"

/** Ties a job to the fiber that submits it and to that fiber's Scope. Returns a function that unties it. */
export const tieToSubmitter = (
  submitter: Submitter,
  scope: Scope.Scope,
  { stop, stopAndWait }: SubmittedJob
): () => void => {
  const unobserve = submitter.addObserver((exit) => {
    if (Exit.hasInterrupts(exit)) stop(interrupted)
  })
  const child = Scope.forkUnsafe(scope)
  if (child.state._tag === "Closed") stop(closed)
  else Effect.runSync(Scope.addFinalizer(child, stopAndWait(closed)))
  return () => {
    unobserve()
    // the job has stopped: the finalizer, which would stop it and wait, is only taken away
    Scope.closeUnsafe(child, Exit.void)
  }
}

/** Waits for the result. If the submitter itself is interrupted meanwhile it waits for the stop; another fiber does not. */
export const awaitAsSubmitter = <A, E>(
  submitter: Submitter,
  result: Effect.Effect<A, E>,
  { stopAndWait }: SubmittedJob
): Effect.Effect<A, E> =>
  Effect.withFiber((self: Submitter) =>
    self === submitter ? Effect.onInterrupt(result, () => stopAndWait(interrupted)) : result
  )

/** Stops the jobs that still run, all at once, and waits for them: their environment is released. */
export const stopAll = (jobs: Iterable<SubmittedJob>): Effect.Effect<void> =>
  Effect.forEach(jobs, ({ stopAndWait }) => stopAndWait("its environment was released"), {
    concurrency: "unbounded",
    discard: true
  })
