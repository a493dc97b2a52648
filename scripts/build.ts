/** Builds the package into `dist`, unless nothing has changed since the last build. */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { changedSinceBuild } from "./changed.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const run = (command: string, ...args: ReadonlyArray<string>) =>
  execFileSync(command, args, { cwd: root, stdio: "inherit" })

if (changedSinceBuild() !== undefined) {
  run("node", "scripts/clean.ts")
  run("tsc", "-p", "tsconfig.build.json")
  run("node", "scripts/python.ts")
  run("node", "scripts/prebundle.ts")
}
