#!/usr/bin/env node
import { exitAtSignals } from "./process/earlySignals.ts"

const releaseSignals = exitAtSignals()

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`autostop: this is Node ${process.versions.node}; expected 22.19 or later\n`)
  process.exit(2)
}

const { main } = await import("./cli/main.ts")
main(process.argv.slice(2), releaseSignals)
