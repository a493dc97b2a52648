#!/usr/bin/env node
import { exitAtSignals } from "./process/earlySignals.ts"
import { entryPoint } from "./process/entryPoints.ts"

const releaseSignals = exitAtSignals()

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`autostop: this is Node ${process.versions.node}; expected 22.19 or later\n`)
  process.exit(2)
}

const args = process.argv.slice(2)
if (args.length === 1 && args[0] === "--version") {
  // the command line takes long to load
  const { version } = await import("./process/packageVersion.ts")
  process.stdout.once("error", ({ message }) => {
    process.stderr.write(`stdout could not be written: ${message}\n`)
    process.exitCode = 1
  })
  process.stdout.write(`autostop v${version}\n`)
} else {
  const { commandsUrl, keepCompiled, linkPrebundle } = await import("./process/prebundle.ts")
  keepCompiled()
  const runsUserCode = args.some((arg) => arg === "run" || arg === "serve")
  const program = (runsUserCode ? undefined : commandsUrl()) ??
    linkPrebundle(entryPoint(import.meta.url, "./cli/main").href)
  const { main }: typeof import("./cli/main.ts") = await import(program)
  main(args, releaseSignals)
}
