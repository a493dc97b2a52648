import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { exitCode } from "../../process/exitCode.ts"
import type { CommandContext } from "../commandContext.ts"

/**
 * Opens when the command has to end: at a signal, which decides the exit code, or when the reader of its output has gone
 * away. A second signal ends the process at once.
 */
export const whenInterrupted = (context: CommandContext["Service"]): OneShotLatch => {
  const interrupted = new OneShotLatch()
  context.owner.relay = (signal, count) => {
    context.exitCode = exitCode({ isClean: true, signal, own: 0 })
    interrupted.open()
    if (count > 1) context.owner.programEnded(context.exitCode)
  }
  process.stdout.once("error", () => interrupted.open())
  return interrupted
}
