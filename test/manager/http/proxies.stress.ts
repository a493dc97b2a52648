/** The reverse proxies of Debian before a manager, each with the defaults of its package. Those that this machine has are tried. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { Environment, RemoteEnvironment } from "../../../src/index.ts"
import { Address } from "../../../src/manager/http/server.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { ask, Endless, serving } from "../../support/serving.ts"
import { freePort } from "../../../scripts/freePorts.ts"

interface Reverse {
  readonly command: string
  readonly args: (config: string, folder: string) => ReadonlyArray<string>
  readonly config: (port: number, target: string, folder: string) => string
}

const proxies: Readonly<Record<string, Reverse>> = {
  // it buffers and gzips, and stores what it may
  nginx: {
    command: "nginx",
    args: (config, folder) => ["-p", folder, "-e", join(folder, "error.log"), "-c", config],
    config: (port, target, folder) => `
      daemon off; worker_processes 1; pid ${folder}/nginx.pid; user root;
      events {}
      http {
        access_log off; gzip on; gzip_types *;
        proxy_cache_path ${folder}/cache keys_zone=all:1m; proxy_cache all; proxy_cache_valid any 10m;
        client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
        uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://${target}; } }
      }`
  },
  haproxy: {
    command: "haproxy",
    args: (config) => ["-db", "-f", config],
    config: (port, target) => `
global
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
  compression algo gzip
frontend all
  bind 127.0.0.1:${port}
  default_backend manager
backend manager
  server one ${target}
`
  },
  caddy: {
    command: "caddy",
    args: (config) => ["run", "--adapter", "caddyfile", "--config", config],
    config: (port, target) =>
      `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  encode gzip
  reverse_proxy ${target}
}
`
  }
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => resolve(socket.destroy() !== undefined))
    socket.on("error", () => resolve(false))
  })

/** Starts a proxy before an address, and returns its URL. */
const started = Effect.fnUntraced(function*({ args, command, config }: Reverse, target: string) {
  const folder = yield* temporaryFolder
  const port = yield* Effect.promise(freePort)
  const file = join(folder, "config")
  writeFileSync(file, config(port, target, folder))
  let said = ""
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(command, args(file, folder), { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: folder } })
    ),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null) return
        // it ends its workers; they would outlive it if it were killed
        child.kill("SIGTERM")
        await once(child, "close")
      })
  )
  child.stderr.on("data", (chunk: Buffer) => said += chunk)
  while (!(yield* Effect.promise(() => isListening(port)))) {
    if (child.exitCode !== null) assert.fail(`${command} has ended: ${said}`)
    yield* Effect.sleep(20)
  }
  return `http://127.0.0.1:${port}`
})

const installed = Object.entries(proxies)
  .filter(([, { command }]) => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0)

// what a proxy passes on needs a token
const token = "operator of this manager"
const headers = { authorization: `Bearer ${token}` }

/** Asks a manager through a proxy. */
const tried = (proxy: Reverse) =>
  Effect.scoped(Effect.gen(function*() {
    const { port } = yield* Address
    const url = yield* started(proxy, `127.0.0.1:${port}`)
    const environment = RemoteEnvironment.layer({ url, token })
    // the events of a job that runs reach its submitter, and a stop of it too
    const report = yield* Effect.gen(function*() {
      const run = yield* Environment.submit(Endless, {}, { id: "behind" })
      yield* run.events.pipe(Stream.filter(({ _tag }) => _tag === "RunStarted"), Stream.runHead)
      yield* run.stop({ reason: "enough" })
      return (yield* run.result).report
    }).pipe(Effect.scoped, Effect.provide(environment), Effect.timeout("30 seconds"))
    assert.deepStrictEqual([report.trigger, report.reason], ["stopped", "enough"])
    const statuses = yield* Effect.promise(async () => {
      const status = async (path: string, init?: RequestInit) =>
        (await fetch(`${url}${path}`, { headers, ...init })).status
      const last = [...(await (await fetch(`${url}/jobs/behind/events`, { headers })).text()).matchAll(/^id: (\d+)$/gm)]
        .at(-1)
        ?.[1]
      const type = { ...headers, "content-type": "application/json" }
      const large = JSON.stringify({ job: "x".repeat(1_100_000) })
      return [
        await status(`/jobs/behind/events?after=${last}`),
        await status("/jobs/none"),
        await status("/jobs", { method: "POST", headers: type, body: "{}" }),
        await status("/jobs", { method: "POST", headers: type, body: large })
      ]
    })
    assert.deepStrictEqual(statuses, [204, 404, 400, 413])
    // a list is not what it was
    const ids = Effect.promise(async () => (await fetch(`${url}/jobs?limit=5`, { headers })).json())
    const before = yield* ids
    yield* ask("POST", "/jobs", { job: "endless", id: "later" }, headers)
    assert.notDeepEqual(yield* ids, before)
  })).pipe(Effect.provide(serving({ tokens: [{ token, role: "operate" }] })))

describe("a manager behind the reverse proxies of this machine", () => {
  it.live("sends its feeds as they come, and answers as it does without", () =>
    Effect.forEach(installed, ([, proxy]) => tried(proxy), { discard: true }))
})
