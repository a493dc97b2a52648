import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { now } from "../../base/clock.ts"
import { errorText } from "../../base/errorText.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import { hasEnded, waitFor, waitUnlessKilled } from "../../base/waits.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import type { Leftover } from "../report/reportSchemas.ts"
import type { ServiceRegistry } from "../service/serviceRegistry.ts"
import type { ServiceRelease } from "./serviceRelease.ts"
import type { TimeBudget } from "./timeBudget.ts"

interface Parts {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  readonly budget: TimeBudget
  readonly registry: ServiceRegistry
  readonly releases: ServiceRelease
  /** The scope of the job's layers. */
  readonly scope: Scope.Closeable
  readonly killing: OneShotLatch
}

/** The result of the release of all services. */
export interface Released {
  readonly timedOut: boolean
  /** The finalizers of layers that are no services, if one failed or did not end. */
  readonly leftovers: ReadonlyArray<Leftover>
}

/**
 * Closes the scope of the job's layers, which releases dependents before their dependencies, each service within its own
 * limit. A finalizer of a layer that is no service has no limit: once nothing else moves, the services that it holds up are
 * released without waiting for it.
 */
export const releaseServices = (parts: Parts, exit: () => Exit.Exit<unknown, unknown>): Effect.Effect<Released> =>
  Effect.withFiber((fiber) => {
    const { budget, clock, killing, limits, registry, releases, scope } = parts
    const closing = Effect.runForkWith(fiber.context)(Scope.close(scope, exit()))
    const began = now(clock)
    const patience = limits.releaseTimeout

    /** Waits for the scope. Returns false if the services had to be released without it. */
    const awaitScope: Effect.Effect<boolean> = Effect.suspend(() =>
      Effect.flatMap(waitUnlessKilled(closing, budget.forRest(patience), killing), (why) => {
        if (why === "ended") return Effect.succeed(true)
        const isStalled = releases.stalledMs(began) >= patience
        if (!isStalled && !budget.isSpent && !killing.isOpen) return awaitScope
        const rest = Effect.andThen(registry.releaseRest(exit()), waitFor(closing, 0))
        return Effect.map(rest, () => hasEnded(closing))
      })
    )

    const leftovers = (): ReadonlyArray<Leftover> => {
      const done = closing.pollUnsafe()
      if (done?._tag === "Success") return []
      const detail = done === undefined
        ? "a layer that is not managed is still being released"
        : `a layer that is not managed: ${errorText(done.cause)}`
      return [{ kind: "finalizer", detail }]
    }

    return Effect.flatMap(awaitScope, (ended) => {
      const left = leftovers()
      // a service that a run provided which does not end is in none of the job's scopes
      return Effect.map(registry.releaseRest(exit()), () => ({
        timedOut: !ended || releases.missedLimit || registry.hasUnstopped,
        leftovers: left
      }))
    })
  })
