/** A job belongs to its submitter: it does not outlive their Scope, nor an interrupt of their fiber. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"

/** How a job that belongs to somebody is stopped, and why. */
export interface Owned {
  readonly stop: (reason: string) => void
  readonly stopAndWait: (reason: string) => Effect.Effect<void>
}

type Submitter = Fiber.Fiber<unknown, unknown>

const interrupted = "the fiber that submitted it was interrupted"
const closed = "the scope it was submitted in closed"

/** Ties a job to the fiber and the Scope of its submitter. Returns how to let go of them. */
export const belongTo = (submitter: Submitter, { stop, stopAndWait }: Owned): () => void => {
  const off = submitter.addObserver((exit) => {
    if (Exit.hasInterrupts(exit)) stop(interrupted)
  })
  const scope = Option.map(Context.getOption(submitter.context, Scope.Scope), (scope) => {
    const child = Scope.forkUnsafe(scope)
    if (child.state._tag === "Closed") stop(closed)
    else Effect.runSync(Scope.addFinalizer(child, stopAndWait(closed)))
    return child
  })
  return () => {
    off()
    if (Option.isSome(scope)) Effect.runFork(Scope.close(scope.value, Exit.void))
  }
}

/** What the submitter waits for: interrupted meanwhile, they wait for the stop. Others just wait no longer. */
export const awaitedBy = <A, E>(
  submitter: Submitter,
  result: Effect.Effect<A, E>,
  { stopAndWait }: Owned
): Effect.Effect<A, E> =>
  Effect.withFiber((self: Submitter) =>
    self === submitter ? Effect.onInterrupt(result, () => stopAndWait(interrupted)) : result
  )

/** Releases an environment: stops the jobs that still run, all at once, and waits for them. */
export const stopAll = (jobs: Iterable<Owned>): Effect.Effect<void> =>
  Effect.forEach(jobs, ({ stopAndWait }) => stopAndWait("its environment was released"), {
    concurrency: "unbounded",
    discard: true
  })
