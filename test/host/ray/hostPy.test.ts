import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { createDiffieHellmanGroup, createHash } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import { dial } from "../../../src/host/ray/dial.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { hostileLine } from "../../support/hostileBytes.ts"
import { Random } from "../../support/malformed.ts"

const hasPython = spawnSync("python3", ["--version"]).status === 0

/** As much of Ray as a driver needs until its owner asks for an actor. */
const ray = `
def init(**_): pass
class util:
  get_node_ip_address = staticmethod(lambda: "127.0.0.1")
class _Context:
  get_job_id = staticmethod(lambda: "01")
get_runtime_context = _Context
`

describe.skipIf(!hasPython)("the driver of a Ray job", () => {
  it.effect("takes its owner, and ends as it asks, after strangers have sent anything", () =>
    Effect.flatMap(temporaryFolder, (folder) => Effect.promise(() => tryDriver(folder))))
})

const tryDriver = async (folder: string) => {
  mkdirSync(join(folder, "ray"))
  writeFileSync(join(folder, "ray", "__init__.py"), ray)
  const own = createDiffieHellmanGroup("modp14")
  const plan = {
    name: "a",
    namespace: "a",
    ownerMs: 60_000,
    prime: own.getPrime("hex"),
    public: own.generateKeys("hex")
  }
  const child = spawn(
    "python3",
    [
      new URL("../../../src/host/ray/host.py", import.meta.url).pathname,
      Buffer.from(JSON.stringify(plan)).toString("hex")
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PYTHONPATH: folder } }
  )
  let stderr = ""
  child.stderr.on("data", (data) => stderr += data)
  for await (const line of createInterface(child.stdout)) {
    const hello = JSON.parse(line.replace(/^autostop /, ""))
    const random = new Random(7)
    const lines = [
      `{"nonce":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
      "a".repeat(100_000),
      ...Array.from({ length: 100 }, () => hostileLine(random, ["mac", "nonce", "role"]))
    ]
    for (const line of lines) {
      const socket = connect(hello.port, hello.host).on("error", () => {}).resume()
      socket.once("data", () => socket.write(`${line}\n`))
      await new Promise((resolve) => socket.once("close", resolve))
    }
    const idle = await Promise.all(Array.from({ length: 40 }, async () => {
      const socket = connect(hello.port, hello.host).on("error", () => {}).resume()
      await once(socket, "data")
      return socket
    }))
    await Promise.all(idle.slice(0, 8).map((socket) => socket.closed || once(socket, "close")))
    const theirs = Buffer.from(hello.public.padStart(2 * own.getPrime().length, "0"), "hex")
    const key = createHash("sha256").update(own.computeSecret(theirs)).digest()
    const owner = await Effect.runPromise(dial(hello, key, "driver", (connection) => connection))
    owner.say({ ask: "none" })
    owner.say({ ask: "end" })
    await new Promise<void>((resolve) => owner.closed.onOpen(resolve))
    for (const socket of idle) socket.destroy()
    break
  }
  await once(child, "exit")
  assert.strictEqual(child.exitCode, 0)
  // that a client is cut off as the driver ends is said by asyncio
  assert.notMatch(stderr, /RecursionError|UnicodeError|TypeError|KeyError/)
}
