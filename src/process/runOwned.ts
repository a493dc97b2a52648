import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { messageOf } from "../base/errorText.ts"
import { CurrentProcess, noLeftovers } from "./processContext.ts"
import { ProcessOwner } from "./processOwner.ts"
import { printUsageError } from "./usageError.ts"

export interface OwnedOptions<E> {
  /** The longest that a stop takes if no task sets another deadline. If it fails, nothing is started. */
  readonly deadlineMs: Effect.Effect<number, E>
  /** True if what is left in the process was left by the one task that runs in it. */
  readonly ownsHandles: boolean
}

/** Runs a program as the owner of its process, and exits. See `exitCode.ts` for the exit code. */
export const runOwned = <E>(
  program: (owner: ProcessOwner) => Effect.Effect<number>,
  { deadlineMs, ownsHandles }: OwnedOptions<E>
): void => {
  const deadline = Effect.runSyncExit(deadlineMs)
  if (deadline._tag === "Failure") {
    printUsageError(messageOf(Cause.squash(deadline.cause)))
    process.exitCode = 2
    return
  }
  const owner = new ProcessOwner(deadline.value)
  const context = { leftovers: ownsHandles ? owner.leftovers.all : noLeftovers, attach: owner.attach }
  const fiber = Effect.runFork(
    Effect.andThen(
      Effect.yieldNow,
      Effect.provideService(Effect.suspend(() => program(owner)), CurrentProcess, context)
    )
  )
  owner.install(() => fiber.interruptUnsafe())
  fiber.addObserver((exit) => owner.programEnded(exit._tag === "Success" ? exit.value : 1))
}
