import { asksForStop, signalCode, signals } from "./signals.ts"

/**
 * Ends the process at a signal, with the exit code that the signal has later too: while the program is being loaded,
 * there is nothing to stop. Returns a function that removes the listeners.
 */
export const exitAtSignals = (): () => void => {
  const offs = signals.map((signal) => {
    const exit = () => {
      if (asksForStop(signal, process.listenerCount(signal) - 1)) process.exit(signalCode(signal))
    }
    process.on(signal, exit)
    return () => process.off(signal, exit)
  })
  return () => offs.forEach((off) => off())
}
