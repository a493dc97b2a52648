// Runs a command with a Ray cluster of two nodes, which it starts on this machine and stops again:
//
//     node scripts/ray/with.ts node examples/12-ray.ts
//
// Ray comes into a virtual environment in `.ray`, by `python3 -m venv` and pip; RAY_VERSION is another one than the usual.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { Cluster } from "./cluster.ts"
import { environment, rayVersion } from "./environment.ts"

const [program = "", ...args] = process.argv.slice(2)

const cluster = await Cluster.start({ bin: await environment(), cpus: [4, 4] })
console.log(`Ray ${rayVersion} runs on two nodes`)
try {
  const command = spawn(program, args, {
    stdio: "inherit",
    env: {
      ...cluster.env,
      RAY_ADDRESS: cluster.gcs,
      AUTOSTOP_RAY_ADDRESS: cluster.address,
      AUTOSTOP_RAY_TOKEN: cluster.token
    }
  })
  // the command ends first, then the cluster
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => command.kill(name))
  const [code] = await once(command, "exit")
  process.exitCode = typeof code === "number" ? code : 1
} finally {
  await cluster.stop()
}
