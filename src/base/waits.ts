/** Waits that end within a limit, whatever they wait for. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import { now } from "./clock.ts"
import { OneShotLatch } from "./oneShotLatch.ts"

/** The reason for the end of a wait: what it waited for has ended, the time was up, or another latch opened. */
export type Waited = "ended" | "time" | "latch"

/**
 * Waits until the fiber has ended (or the latch has opened), the time is up or one of the other latches opens, whichever is
 * first. It does not interrupt the fiber. In an uninterruptible region the wait itself cannot be interrupted, and its limit
 * still holds.
 */
export const waitFor = (
  target: Fiber.Fiber<unknown, unknown> | OneShotLatch,
  ms: number,
  ...latches: ReadonlyArray<OneShotLatch>
): Effect.Effect<Waited> =>
  Effect.withFiber((self) =>
    Effect.callback<Waited>((resume) => {
      const cleanups: Array<() => void> = []
      let settled = false
      const settle = (why: Waited) => {
        if (settled) return
        settled = true
        for (const cleanup of cleanups) cleanup()
        resume(Effect.succeed(why))
      }
      const listen = (subscribe: () => () => void) => {
        if (!settled) cleanups.push(subscribe())
      }
      listen(() =>
        target instanceof OneShotLatch
          ? target.onOpen(() => settle("ended"))
          : target.addObserver(() => settle("ended"))
      )
      for (const latch of latches) listen(() => latch.onOpen(() => settle("latch")))
      if (ms !== Infinity) {
        listen(() => {
          const clock = self.getRef(Clock.Clock)
          const end = now(clock) + ms
          // a fiber that ends in this same turn still counts as ended, even if the limit is zero
          const sleep = Effect.suspend(() => clock.sleep(Duration.millis(Math.max(0, end - now(clock)))))
          const timer = Effect.runForkWith(self.context)(Effect.andThen(Effect.yieldNow, sleep))
          timer.addObserver((exit: Exit.Exit<void>) => {
            if (exit._tag === "Success") settle("time")
          })
          return () => timer.interruptUnsafe()
        })
      }
      return Effect.sync(() => {
        settled = true
        for (const cleanup of cleanups) cleanup()
      })
    })
  )

/**
 * Runs an effect on a fiber of its own, and interrupts it if it has not ended within the limit: then there is no result.
 * The limit also holds in an uninterruptible region.
 */
export const within = <A, E>(effect: Effect.Effect<A, E>, ms: number): Effect.Effect<Option.Option<A>, E> =>
  Effect.withFiber((self) => {
    const fiber = Effect.runForkWith(self.context)(effect)
    const interrupt = Effect.sync(() => fiber.interruptUnsafe())
    return Effect.flatMap(
      Effect.onInterrupt(waitFor(fiber, ms), () => interrupt),
      (why) => why === "ended" ? Effect.asSome(Fiber.join(fiber)) : Effect.andThen(interrupt, Effect.succeedNone)
    )
  })

/** Waits as `waitFor`, with one more turn once `killing` opens: what can end at once still counts as ended. */
export const waitUnlessKilled = (
  fiber: Fiber.Fiber<unknown, unknown>,
  ms: number,
  killing: OneShotLatch
): Effect.Effect<Waited> =>
  Effect.suspend(() =>
    killing.isOpen
      ? waitFor(fiber, 0)
      : Effect.flatMap(
        waitFor(fiber, ms, killing),
        (why) => why === "latch" ? waitFor(fiber, 0) : Effect.succeed(why)
      )
  )

/** Returns true once the fiber has ended. */
export const hasEnded = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined
