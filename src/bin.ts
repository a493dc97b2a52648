#!/usr/bin/env node
// Nothing has been started while this module loads the rest: a signal that comes so early just ends the process, with
// the exit code that it would have had later.
const exits = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 }
const early = Object.entries(exits).map(([signal, code]) => {
  const exit = () => process.exit(code)
  process.on(signal, exit)
  return () => process.off(signal, exit)
})

const { main } = await import("./cli/main.ts")
main(process.argv.slice(2), () => early.forEach((off) => off()))
