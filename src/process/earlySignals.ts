import { signalCodes } from "./signals.ts"

/**
 * Nothing has been started while the rest is being loaded: a signal that comes so early just ends the process, with the
 * exit code that it would have had later. Returns how to stop that.
 */
export const exitAtSignals = (): () => void => {
  const offs = Object.entries(signalCodes).map(([signal, code]) => {
    const exit = () => process.exit(code)
    process.on(signal, exit)
    return () => process.off(signal, exit)
  })
  return () => offs.forEach((off) => off())
}
