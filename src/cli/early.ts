const exits = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 }

/**
 * Nothing has been started while the rest is being loaded: a signal that comes so early just ends the process, with the
 * exit code that it would have had later. Returns how to stop that.
 */
export const exitAtSignals = (): () => void => {
  const offs = Object.entries(exits).map(([signal, code]) => {
    const exit = () => process.exit(code)
    process.on(signal, exit)
    return () => process.off(signal, exit)
  })
  return () => offs.forEach((off) => off())
}
