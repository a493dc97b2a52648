#!/usr/bin/env node
// Nothing has been started while this module loads the rest: a signal that comes so early just ends the process, with
// the exit code that it would have had later.
const exits = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 }
const early = Object.entries(exits).map(([signal, code]) => {
  const exit = () => process.exit(code)
  process.on(signal, exit)
  return () => process.off(signal, exit)
})

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`autostop: this is Node ${process.versions.node}; expected 22.19 or later\n`)
  process.exit(2)
}

const { main } = await import("./cli/main.ts")
main(process.argv.slice(2), () => early.forEach((off) => off()))
