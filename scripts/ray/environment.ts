import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The Ray that the tests run with; `RAY_VERSION` is another one. */
export const rayVersion = process.env["RAY_VERSION"] ?? "2.60.0"

/** What checks the Python part. */
const checks = ["mypy==2.4.1", "ruff==0.17.6"]

const folder = fileURLToPath(new URL("../../.ray", import.meta.url))

/** The programs of a virtual environment with Ray, which is made where there is none: with its dashboard, or plain. */
export const environment = async (kind: "default" | "plain" = "default"): Promise<string> => {
  const home = join(folder, `${kind}-${rayVersion}`)
  const bin = join(home, "bin")
  const made = join(home, "made")
  if (existsSync(made)) return bin
  const packages = kind === "default" ? [`ray[default]==${rayVersion}`, ...checks] : [`ray==${rayVersion}`]
  console.log(`making ${home} with ${packages.join(", ")}`)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await run("python3", "-m", "venv", home)
  await run(join(bin, "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages)
  writeFileSync(made, "")
  return bin
}

/** Runs a program that is to succeed. */
export const run = async (program: string, ...args: ReadonlyArray<string>): Promise<void> => {
  const [code] = await once(spawn(program, args, { stdio: "inherit" }), "exit")
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}`)
}
