/**
 * Installs the packed package in empty folders, as its users do, and runs it on several versions of Node; with `--units` also the fast tests of this
 * repository.
 *
 * Usage: `node scripts/matrix.ts [--units] [VERSION…]`; without a version, on the oldest one that is supported, that of this repository and the newest.
 */
import { execFileSync } from "node:child_process"
import { cpSync, globSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { units: { type: "boolean", default: false } }
})
const versions = positionals.length > 0 ? positionals : ["22.19.0", "24.21.0", "26.10.0"]

const root = fileURLToPath(new URL("..", import.meta.url))
const units = ["Job", "StopPolicy", "StopReport", "testing", "Pipeline/", "internal/", "model/stop"].map((name) =>
  `test/${name}`
)

/** Runs a command with the `node` of `folder`, and fails if the command does. */
const runIn = (folder: string, cwd = folder) => (command: string, ...args: ReadonlyArray<string>): string => {
  const env = { ...process.env, PATH: [join(folder, "node_modules/.bin"), process.env.PATH].join(delimiter) }
  console.log(`$ ${command} ${args.join(" ")}`)
  const output = execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
  process.stdout.write(output)
  return output
}

/** A user who runs `npm install autostop effect` has one Effect, and what the package needs beside it. */
const assertOneEffect = (folder: string): void => {
  const installed = (name: string) => globSync(`**/node_modules/${name}/package.json`, { cwd: folder })
  for (const name of ["effect", "@effect/platform-node"]) {
    const found = installed(name)
    if (found.length !== 1) throw new Error(`${name} is there ${found.length} times: ${found.join(", ")}`)
  }
}

const [tarball = ""] = execFileSync("npm", ["pack", "--silent", "--pack-destination", tmpdir()], {
  cwd: root,
  encoding: "utf8"
})
  .trim().split("\n").slice(-1)
for (const version of versions) {
  console.log(`=== Node ${version}`)
  const folder = mkdtempSync(join(tmpdir(), "autostop-user-"))
  try {
    cpSync(join(root, ".ci/user"), folder, { recursive: true })
    const run = runIn(folder)
    run(
      "npm",
      "install",
      "--silent",
      "--no-audit",
      "--no-fund",
      join(tmpdir(), tarball),
      "effect@4.1.0",
      `node@${version}`
    )
    assertOneEffect(folder)
    if (run("node", "--version").trim() !== `v${version}`) throw new Error(`node@${version} is not the one that runs`)
    run("npx", "tsc", "--noEmit", "-p", ".")
    run("npx", "autostop", "run", "hello.ts", "--payload", `{"name":"Ada"}`, "--report", "report.json")
    run("node", "check.ts")
    if (values.units) runIn(folder, root)("node", join(root, "node_modules/vitest/vitest.mjs"), "run", ...units)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
rmSync(join(tmpdir(), tarball))
