// Runs what needs a Ray cluster, on one of two nodes that it starts on this machine: `npm run test:ray [FILE…]`.
//
// Ray comes into a virtual environment in `.ray`, by `python3 -m venv` and pip. Without a python3 that has both there is
// nothing to run it with.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { Cluster } from "./cluster.ts"
import { environment, rayVersion, run } from "./environment.ts"

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

const bin = await environment()
const python = path("src/host/host.py")
const rules = ["--line-length=120", "--target-version=py310"]
await run(`${bin}/ruff`, "check", ...rules, "--select=E,F,W,I,B,UP,SIM,RUF", python)
await run(`${bin}/ruff`, "format", ...rules, "--diff", python)
await run(`${bin}/mypy`, "--strict", "--allow-untyped-calls", "--python-executable", `${bin}/python`, python)
console.log(`host.py passes ruff and mypy; a cluster of Ray ${rayVersion} with two nodes starts`)

const cluster = await Cluster.start({ bin, cpus: [4, 4] })
try {
  const vitest = spawn(
    process.execPath,
    [
      path("node_modules/vitest/vitest.mjs"),
      "run",
      "--config",
      path("test/ray/vitest.config.ts"),
      ...process.argv.slice(2)
    ],
    {
      stdio: "inherit",
      env: {
        ...cluster.env,
        RAY_ADDRESS: cluster.gcs,
        AUTOSTOP_RAY_ADDRESS: cluster.address,
        AUTOSTOP_RAY_TOKEN: cluster.token,
        TEST_HOSTS: "ray"
      }
    }
  )
  // the tests end first, then the cluster
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => vitest.kill(name))
  const [code] = await once(vitest, "exit")
  process.exitCode = typeof code === "number" ? code : 1
} finally {
  await cluster.stop()
}
