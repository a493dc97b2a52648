import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { fromConfig, StopPolicy } from "../StopPolicy.ts"
import { errorText } from "../base/errorText.ts"
import { Owner } from "./processOwner.ts"
import { signalCodes } from "./signals.ts"
import { Host } from "./processContext.ts"
import { mergePolicy } from "../internal/policy/resolvePolicy.ts"

/** Runs a program that gives its own exit code; a signal, a crash and an unclean stop win over it. */
export const ownProcess = (
  program: (owner: Owner) => Effect.Effect<number>,
  /** Whether what is left in the process was left by the one job that runs in it. */
  options: { readonly ownsHandles: boolean }
): void => {
  const deadline = Effect.runSyncExit(configuredDeadline)
  if (deadline._tag === "Failure") {
    process.stderr.write(`${errorText(deadline.cause)}\n`)
    process.exitCode = 2
    return
  }
  // a reader that went away is no reason to crash
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
  const owner = new Owner(Duration.toMillis(deadline.value))
  const host = { leftovers: options.ownsHandles ? owner.leftovers : Effect.succeed([]), shutdown: owner.shutdown }
  const fiber = Effect.runFork(
    Effect.andThen(Effect.yieldNow, Effect.provideService(Effect.suspend(() => program(owner)), Host, host))
  )
  owner.install(() => fiber.interruptUnsafe())
  fiber.addObserver((exit) => {
    const own = exit._tag === "Success" ? exit.value : 1
    const signal = owner.signal === undefined ? undefined : signalCodes[owner.signal]
    void owner.end(owner.unclean ? 3 : signal ?? owner.code ?? own)
  })
}

/** The deadline of a program without jobs. No other limit counts here, and a job may bring a deadline that they fit. */
const configuredDeadline = Effect.gen(function*() {
  const { values } = yield* mergePolicy([yield* fromConfig], yield* StopPolicy.Defaults)
  return values.deadline
})
