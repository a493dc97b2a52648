import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { createDiffieHellman, createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { realClock } from "../../../src/base/clock.ts"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"
import { entries } from "../../../src/host/entryPoints.ts"
import { dial } from "../../../src/host/ray/dial.ts"
import { type Address, type KeyedConnection, receive, type Role } from "../../../src/host/ray/keyedConnection.ts"
import { RayApi } from "../../../src/host/ray/rayApi.ts"
import { RayConnection } from "../../../src/host/ray/rayConnection.ts"
import { RayError } from "../../../src/host/ray/rayError.ts"
import { RayJob } from "../../../src/host/ray/rayJob.ts"
import { hostileLine } from "../../support/hostileBytes.ts"
import { Random } from "../../support/malformed.ts"
import { raySettingsOf } from "../../support/raySettings.ts"

const key = randomBytes(32)
const proofKeys = ["mac", "nonce", "role", "kill", "stop"] as const
const fork = Effect.runForkWith(Context.make(Clock.Clock, realClock))

const opened = (latch: OneShotLatch) => new Promise<void>((resolve) => latch.onOpen(resolve))

const dialed = (address: Address, role: Role): Promise<KeyedConnection> =>
  Effect.runPromise(dial(address, key, role, (connection) => connection))

const serving = async (take: (socket: Socket) => void) => {
  const server = createServer((socket) => take(socket.on("error", () => {}))).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return { host: "127.0.0.1", port, [Symbol.dispose]: () => void server.close() }
}

/** A guard whose actor is this process. */
const guarding = async () => {
  const child = spawn(process.execPath, [fileURLToPath(entries.rayGuard)], { stdio: ["pipe", "pipe", "inherit"] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  child.stdin.write(`${JSON.stringify({ key: key.toString("hex"), host: "127.0.0.1", limitMs: 1_000 })}\n`)
  const { port } = JSON.parse(String((await lines.next()).value))
  return { address: { host: "127.0.0.1", port } as const, child }
}

/** Sends a line in answer to the challenge of a server, and waits until that closes the connection. */
const sendAsStranger = async (address: Address, line: string): Promise<void> => {
  const socket = connect(address).on("error", () => {}).resume()
  socket.once("data", () => socket.end(`${line}\n`))
  // a guard that closes while it is sent more resets the connection
  await new Promise((resolve) => socket.once("close", resolve))
}

const secretMac = "é".repeat(64)
const strangers = [
  `{"mac":"${secretMac}"}`,
  `{"mac":"${secretMac}","role":"guard","nonce":"00"}`,
  `{"mac":"${"a".repeat(64)}","role":{"toString":1},"nonce":"00"}`,
  `{"mac":"${"a".repeat(64)}","role":"guard","nonce":${"[".repeat(1_500)}${"]".repeat(1_500)}}`,
  "[]"
]

describe("what is sent to a part of a Ray host", () => {
  it("by strangers, never ends its guard, which takes its owner after them", async () => {
    const { address, child } = await guarding()
    const random = new Random(1)
    const lines = [...strangers, ...Array.from({ length: 300 }, () => hostileLine(random, proofKeys))]
    for (let i = 0; i < lines.length; i += 20) {
      await Promise.all(lines.slice(i, i + 20).map((line) => sendAsStranger(address, line)))
    }
    const owner = await dialed(address, "guard")
    owner.close()
    child.stdin.end()
    assert.deepStrictEqual(await once(child, "exit"), [0, null])
  })

  it("by its owner, never ends its guard before that has ended what it guards", async () => {
    const { address, child } = await guarding()
    const owner = await dialed(address, "guard")
    const random = new Random(2)
    for (let i = 0; i < 200; i++) owner.socket.write(`${hostileLine(random, ["kill", "stop", "mac"])}\n`)
    owner.socket.end()
    child.stdin.end()
    assert.deepStrictEqual(await once(child, "exit"), [0, null])
  })

  it("instead of a challenge or a proof, fails a connection with a message", async () => {
    const random = new Random(3)
    for (let i = 0; i < 300; i++) {
      const [challenge, proof] = i < strangers.length
        ? ["{\"nonce\":\"00\"}", strangers[i] ?? ""]
        : [random.oneIn(2) ? "{\"nonce\":\"00\"}" : hostileLine(random, proofKeys), hostileLine(random, proofKeys)]
      using server = await serving((socket) => socket.end(`${challenge}\n${proof}\n`))
      const exit = await Effect.runPromiseExit(dial(server, key, "data", (connection) => connection.close()))
      assert.isTrue(Exit.isFailure(exit), `${challenge} ${proof}`)
      if (Exit.isFailure(exit)) assert.instanceOf(Cause.squash(exit.cause), RayError, `${challenge} ${proof}`)
    }
  })

  it("by a guard with the key, ends no more than its connection", async () => {
    const random = new Random(4)
    const keys = ["pid", "how", "gone", "leftover", "actorGone", "stderr", "killed", "durationMs"] as const
    for (let i = 0; i < 15; i++) {
      let guard: KeyedConnection | undefined
      using server = await serving((socket) =>
        receive(socket, key, (peer, role) => {
          if (role === "guard") guard = peer
          else {
            peer.release().end()
            for (let n = 0; n < 20; n++) guard?.socket.write(`${hostileLine(random, keys)}\n`)
            guard?.socket.end()
          }
        })
      )
      const { host, port } = server
      const job = {
        limitMs: 0,
        lost: new OneShotLatch(),
        stopped: new OneShotLatch(),
        lacks: Effect.succeed(""),
        create: () => Effect.succeed({ key, guard: { host, port, actorId: "a", nodeId: "n" } }),
        kill: () => {},
        isDead: () => Effect.void
      }
      const connection = new RayConnection({ job, name: "replica-1", killMs: 10, fork, onBytes: () => {} })
      const { gone } = await Effect.runPromise(connection.kill(100))
      assert.isBoolean(gone)
      await opened(connection.exited)
      assert.isString(connection.exit())
      connection.close()
    }
  })

  it("by a driver with the key, fails an actor with a message", async () => {
    const random = new Random(5)
    const keys = ["name", "place", "dead", "ended", "over", "host", "port", "actorId", "nodeId", "error"] as const
    for (let i = 0; i < 2; i++) {
      const { driver, job } = await withDriver((connection) => {
        connection.listen(({ name }) => {
          const named = JSON.stringify(name)
          for (let n = 0; n < 200; n++) {
            const line = hostileLine(random, keys)
            connection.socket.write(line.startsWith("{\"") ? `{"name":${named},${line.slice(1)}\n` : `${line}\n`)
          }
          connection.socket.end()
        })
      })
      const exit = await Effect.runPromiseExit(job.create("replica-1", () => {}))
      if (Exit.isFailure(exit)) assert.instanceOf(Cause.squash(exit.cause), RayError)
      await opened(job.lost)
      driver[Symbol.dispose]()
    }
  })

  it("by what answers for a cluster, fails a request with a message", async () => {
    const random = new Random(6)
    const keys = ["status", "message", "logs", "data", "result", "state", "actor_id", "resources_total"] as const
    const server = createHttpServer((_, response) => void response.end(hostileLine(random, keys))).listen(
      0,
      "127.0.0.1"
    )
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const api = new RayApi(raySettingsOf(`http://127.0.0.1:${port}`))
    for (let i = 0; i < 60; i++) {
      for (const ask of [api.job("a"), api.logs("a"), api.actors("a"), api.nodes(), api.hasJob("a")]) {
        const exit = await Effect.runPromiseExit(ask as Effect.Effect<unknown, RayError>)
        if (Exit.isFailure(exit)) assert.instanceOf(Cause.squash(exit.cause), RayError)
      }
    }
    api.close()
    server.close()
  })
})

/** A job whose driver does as a test says, once it has proved that it has the key. */
const withDriver = async (take: (connection: KeyedConnection) => void) => {
  let shared: Buffer | undefined
  const driver = await serving((socket) => {
    if (shared !== undefined) receive(socket, createHash("sha256").update(shared).digest(), take)
  })
  let hello = ""
  const api = {
    upload: () => Effect.succeed("gcs://a.zip"),
    submit: ({ entrypoint }: { readonly entrypoint: string }) =>
      Effect.sync(() => {
        const plan = JSON.parse(Buffer.from(entrypoint.split(" ").at(-1) ?? "", "hex").toString())
        const own = createDiffieHellman(Buffer.from(plan.prime, "hex"), 2)
        const half = own.generateKeys("hex")
        shared = own.computeSecret(Buffer.from(plan.public, "hex"))
        const { host, port } = driver
        hello = `autostop ${JSON.stringify({ host, port, public: half, jobId: "01" })}\n`
      }),
    logs: () => Effect.sync(() => hello),
    job: () => Effect.succeed({ status: "RUNNING" as const }),
    hasJob: () => Effect.succeed(true),
    actors: () => Effect.succeed([])
  }
  // safe: a job asks for no more than that
  const job = new RayJob(
    { api: api as unknown as RayApi, settings: raySettingsOf("http://127.0.0.1:9"), service: "test/Lean", limitMs: 1 },
    fork
  )
  return { driver, job }
}
