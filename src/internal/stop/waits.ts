import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"

/** Why a wait ended. */
export type Waited = "ended" | "time" | "notice"

/**
 * Waits until the fiber has ended, the time is up or a notice opens, whichever is first. It does not interrupt the
 * fiber, and whether it may be interrupted itself is up to the region it stands in: in an uninterruptible one the
 * limit still holds.
 */
export const waitFor = (
  fiber: Fiber.Fiber<unknown, unknown> | OneShotLatch,
  ms: number,
  ...notices: ReadonlyArray<OneShotLatch>
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
        fiber instanceof OneShotLatch ? fiber.onOpen(() => settle("ended")) : fiber.addObserver(() => settle("ended"))
      )
      for (const notice of notices) listen(() => notice.onOpen(() => settle("notice")))
      if (ms !== Infinity) {
        listen(() => {
          const clock = self.getRef(Clock.Clock)
          const end = now(clock) + ms
          // what ends in this same turn still counts as ended, also where the limit is zero
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

/** `waitFor` with one turn of grace once `killed` opens: what can end at once still counts as ended. */
export const waitWithin = (
  fiber: Fiber.Fiber<unknown, unknown>,
  ms: number,
  killed: OneShotLatch
): Effect.Effect<Waited> =>
  Effect.suspend(() =>
    killed.isOpen
      ? waitFor(fiber, 0)
      : Effect.flatMap(
        waitFor(fiber, ms, killed),
        (why) => why === "notice" ? waitFor(fiber, 0) : Effect.succeed(why)
      )
  )
