import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Host } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { HostJournal } from "../host/services/frail.ts"
import { Started } from "../support/cli.ts"
import { gone, local, runJob } from "../support/hosts.ts"
import { serviceOf } from "../support/jobs.ts"
import { actors, ask, jobs, noJobs, nothingLeft, partsOf } from "./cluster.ts"
import { refusal } from "./refusal.ts"
import { Surroundings } from "./surroundings.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "autostop-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("a service that cannot start in a cluster says why:", () => {
  it.live("no cluster answers", () =>
    Effect.gen(function*() {
      const message = yield* refusal({ address: "http://127.0.0.1:9" })
      assert.include(message, "Ray could not be reached at http://127.0.0.1:9 (ray.address): connect ECONNREFUSED")
      assert.include(message, "`ray[default]`")
    }).pipe(local))

  it.live("its token is wrong", () =>
    Effect.gen(function*() {
      const message = yield* refusal({ token: "f".repeat(64) })
      assert.match(message, /Ray at http\S+ \(AUTOSTOP_RAY_ADDRESS\) refuses the token \(403\): set ray\.token/)
      assert.notInclude(message, "ffff")
    }).pipe(local))

  it.live("there is no Node, or none that is new enough", () =>
    Effect.gen(function*() {
      const missing = yield* refusal({ node: "/nowhere/node" })
      assert.match(
        missing,
        /\/nowhere\/node could not be run on node [\d.]+: .*No such file.*22\.19 or later.*ray\.node/
      )
      const old = join(yield* temporary, "node")
      writeFileSync(old, "#!/bin/sh\necho v18.20.4\n")
      chmodSync(old, 0o755)
      assert.match(
        yield* refusal({ node: old }),
        /is Node v18\.20\.4; Node 22\.19 or later is needed there: set ray\.node/
      )
    }).pipe(local))

  it.live("this package is not on the node, or does not run there", () =>
    Effect.gen(function*() {
      const node = join(yield* temporary, "node")
      writeFileSync(node, "#!/bin/sh\n[ \"$1\" = --version ] && echo v24.0.0 && exit; echo not here >&2; exit 3\n")
      chmodSync(node, 0o755)
      assert.match(
        yield* refusal({ node }),
        /the guard on node [\d.]+ ended with code 3: \S+guardMain\S+; it printed: not here; this package must be at that path/
      )
    }).pipe(local))

  it.live("there is no Python", () =>
    Effect.gen(function*() {
      const message = yield* refusal({ python: "/nowhere/python" })
      assert.match(message, /the Ray job \S+ is FAILED: .*\/nowhere\/python/s)
    }).pipe(local))

  it.live("the cluster does not have what its actor asks for", () =>
    Effect.gen(function*() {
      const message = yield* refusal({ numCpus: 64, resources: { unicorns: 2 } }, "8 seconds")
      assert.include(message, "it was not ready within 8000 ms; its actor was not created yet")
      assert.include(message, "it asks for {\"num_cpus\":64,\"resources\":{\"unicorns\":2}}")
      assert.match(message, /the nodes of the cluster have is \[\{"CPU":4/)
      yield* noJobs("refused/Lean")
    }).pipe(local))

  it.live("the cluster refuses an upload", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      writeFileSync(join(folder, "large"), "")
      truncateSync(join(folder, "large"), 110 * 2 ** 20)
      const message = yield* refusal({ runtimeEnv: { working_dir: folder } })
      assert.match(message, /answered PUT \/api\/packages\/gcs\/_ray_pkg_\w+\.zip with 413/)
    }).pipe(local))
})

describe("a Ray actor", () => {
  it.live("runs where its labels say, with files that were uploaded and variables of its own", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      mkdirSync(join(folder, "deep"))
      const namespace = `tests-${performance.now()}`
      writeFileSync(join(folder, "deep", "żółw.txt"), "a turtle")
      const { exit, report } = yield* runJob(
        Effect.flatMap(Surroundings, ({ look }) => look({ file: "deep/żółw.txt", variable: "GREETING" })),
        Host.layer(Surroundings, {
          host: "ray",
          replicas: 2,
          ray: {
            numCpus: 1,
            memory: 10_000_000,
            labels: { place: "2" },
            namespace,
            runtimeEnv: { working_dir: folder, env_vars: { GREETING: "hello" } }
          }
        })
      )
      assert.deepStrictEqual(exit, Exit.succeed({ text: "a turtle", value: "hello" }))
      assertClean(report)
      const nodes = [1, 2].map((replica) => serviceOf(report, `test/Surroundings[${replica}]`).nodeId)
      assert.strictEqual(new Set(nodes).size, 1)
      const known = (yield* Effect.promise(actors)).filter(({ ray_namespace: name }) => name === namespace)
      assert.deepStrictEqual([known.length, nodes[0]], [2, known[0]?.node_id])
    }).pipe(local))

  it.live("whose owner is killed with -9 cleans up, and its Ray job ends", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const orders = { host: "ray", plan: { journal: journal.file, child: "own" }, stopMs: 2_000, does: "wait" }
      const program = fileURLToPath(new URL("../host/services/owner.main.ts", import.meta.url))
      const owner = new Started([program, JSON.stringify(orders)])
      yield* Effect.promise(() => owner.said("up"))
      const [pid = 0] = journal.pids("start")
      const parts = yield* partsOf(pid)
      owner.signal("SIGKILL")
      yield* nothingLeft(parts, 10_000)
      for (const child of journal.pids("child")) yield* gone(child, 100)
      assert.deepStrictEqual(journal.pids("released"), [pid])
      yield* Effect.promise(async () => {
        const status = async () => (await jobs()).find(({ submission_id: id }) => id === parts.job)?.status
        while ((await status()) === "RUNNING") await new Promise((done) => setTimeout(done, 100))
        assert.strictEqual(await status(), "SUCCEEDED")
        // nothing else deletes it
        await ask(`/api/jobs/${parts.job}`, "DELETE")
      })
    }))
})
