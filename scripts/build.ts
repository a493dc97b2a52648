/** Builds the package into `dist`, unless nothing has changed since the last build. */
import { execFileSync } from "node:child_process"
import { copyFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { changedSinceBuild } from "./changed.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const run = (command: string, ...args: ReadonlyArray<string>) =>
  execFileSync(command, args, { cwd: root, stdio: "inherit" })

if (changedSinceBuild() !== undefined) {
  rmSync(`${root}dist`, { recursive: true, force: true })
  run("tsc", "-p", "tsconfig.build.json")
  // the Python part of Ray hosts goes where what was built looks for it
  copyFileSync(`${root}src/host/ray/host.py`, `${root}dist/host/ray/host.py`)
  run("node", "scripts/page.ts")
  run("node", "scripts/prebundle.ts")
}
