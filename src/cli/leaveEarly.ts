import { OneShotLatch } from "../base/oneShotLatch.ts"
import { signalCodes } from "../process/signals.ts"
import type { CommandLine } from "./commandLine.ts"

/**
 * Opens when nobody wants to know any longer: at a signal, which is the exit code then, or since whoever read the output
 * is gone. A second signal waits for nothing.
 */
export const leaving = (line: CommandLine["Service"]): OneShotLatch => {
  const left = new OneShotLatch()
  line.owner.relay = (signal, count) => {
    line.exitCode = signalCodes[signal]
    left.open()
    if (count > 1) line.owner.programEnded(line.exitCode)
  }
  process.stdout.once("error", () => left.open())
  return left
}
