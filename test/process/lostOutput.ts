import { spawn } from "node:child_process"
import { once } from "node:events"
import { bin, fixture } from "../support/cli.ts"

/** Runs a line of a shell. Resolves to its exit code and what it says on stderr. */
export const shell = async (line: string) => {
  const child = spawn("bash", ["-c", `set -o pipefail; ${line}`], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE: process.execPath, BIN: bin, JOB: fixture("life.ts"), LIFE: `{"act":"end"}` }
  })
  let stderr = ""
  child.stderr.on("data", (chunk: Buffer) => stderr += chunk)
  await once(child, "close")
  return { code: child.exitCode, stderr }
}

/** The command line of autostop, in such a line. */
export const a = `"$NODE" "$BIN"`
/** A reader that has gone away before anything is written. */
export const gone = "| (exec <&-; exit 0)"
