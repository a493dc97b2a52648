import { spawn } from "node:child_process"
import { once } from "node:events"
import { accessSync, constants } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { freePort } from "../../scripts/freePorts.ts"

/** Returns the server's program, if this machine has one. */
export const redisFile = (): string | undefined =>
  (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "redis-server")).find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Starts a Redis on loopback, with data of its own. What it has answered is on disk, as it is in the other stores. */
export const startRedis = async (): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> => {
  const file = redisFile()
  if (file === undefined) throw new Error("redis-server is not on the PATH")
  const folder = await mkdtemp(join(tmpdir(), "autostop-bench-redis-"))
  const port = String(await freePort())
  const settings = ["--bind", "127.0.0.1", "--port", port, "--dir", folder, "--save", ""]
  const child = spawn(file, [...settings, "--appendonly", "yes", "--appendfsync", "always"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  process.once("exit", () => child.kill("SIGKILL"))
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
    if (String(text).includes("Ready to accept connections")) break
  }
  child.stdout.resume()
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      const closed = once(child, "close")
      child.kill("SIGTERM")
      await closed
      await rm(folder, { recursive: true })
    }
  }
}
