#!/usr/bin/env node
import { existsSync } from "node:fs"
import { enableCompileCache } from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"
import { exitAtSignals } from "./process/earlySignals.ts"

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
  const { main } = await (args.some((arg) => arg === "run" || arg === "serve") ? import("./cli/main.ts") : bundled())
  main(args, releaseSignals)
}

/**
 * Loads the command line as one bundle: its commands need no code of users, and are there in a third of the time. What V8
 * makes of it is kept in a folder that nobody else can write.
 */
async function bundled(): Promise<typeof import("./cli/main.ts")> {
  const file = new URL("./bundle/cli.js", import.meta.url)
  if (!existsSync(file)) return import("./cli/main.ts")
  enableCompileCache(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "autostop", "node"))
  return import(file.href)
}
