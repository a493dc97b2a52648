import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Cluster } from "../../scripts/ray/cluster.ts"
import { environment } from "../../scripts/ray/environment.ts"
import { Host, Job } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { Frail, frail, HostJournal } from "../hosts/frail.ts"
import { Lean } from "../hosts/lean.ts"
import { Started } from "../support/cli.ts"
import { eventOf, gone, isRunning, local, runJob, until } from "../support/hosts.ts"
import { serviceOf, submit } from "../support/jobs.ts"
import { actors, ask, jobs, noJobs, nothingLeft, partsOf } from "./cluster.ts"
import { Surroundings } from "./surroundings.ts"

/** Why a service does not start in a cluster. */
const refusal = (ray: Host.RayOptions, timeout: Duration.Input = "30 seconds") =>
  Effect.gen(function*() {
    const layer = Host.layer(Lean, { host: "ray", ray, start: { timeout } })
    const { exit, report } = yield* runJob(Effect.die("never reached"), layer)
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it started")
    assert.instanceOf(error, Job.ServiceError)
    assert.instanceOf(error.cause, Host.HostError)
    assert.strictEqual(error.cause.reason, "start")
    assertClean(report)
    return error.message
  })

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "autostop-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const clusterOf = (cpus: ReadonlyArray<number>, kind?: "plain") =>
  Effect.acquireRelease(
    Effect.promise(async () => Cluster.start({ bin: await environment(kind), cpus, hasDashboard: kind !== "plain" })),
    (cluster) => Effect.promise(() => cluster.stop())
  )

describe("a service that cannot start in a cluster says why:", () => {
  it.live("nobody answers", () =>
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
      yield* noJobs
    }).pipe(local))

  it.live("what is to be uploaded is refused", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      writeFileSync(join(folder, "large"), "")
      truncateSync(join(folder, "large"), 110 * 2 ** 20)
      const message = yield* refusal({ runtimeEnv: { working_dir: folder } })
      assert.match(message, /answered PUT \/api\/packages\/gcs\/_ray_pkg_\w+\.zip with 413/)
    }).pipe(local))

  it.live("it has no dashboard", () =>
    Effect.gen(function*() {
      const cluster = yield* clusterOf([1], "plain")
      const message = yield* refusal({ address: cluster.address, token: cluster.token })
      assert.include(message, "its API is that of the dashboard, which `ray[default]` has and plain `ray` does not")
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
      const program = fileURLToPath(new URL("../hosts/owner.main.ts", import.meta.url))
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
        // nobody else is there to delete it
        await ask(`/api/jobs/${parts.job}`, "DELETE")
      })
    }))

  it.live("whose node is removed is replaced on another one", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const cluster = yield* clusterOf([2, 2])
      const layer = Host.layer(frail({ journal: journal.file }), {
        host: "ray",
        stop: { timeout: "2 seconds" },
        start: { timeout: "60 seconds" },
        ray: { address: cluster.address, token: cluster.token, resources: { movable: 1 } }
      })
      const doomed = yield* Effect.promise(() => cluster.addNode(2, { movable: 1 }))
      const job = yield* submit(Effect.andThen(Frail, Effect.never), layer)
      const { pid = 0 } = yield* eventOf(job, "HostStarted")
      yield* Effect.promise(() => cluster.addNode(2, { movable: 1 }))
      yield* Effect.promise(() => doomed.stop("SIGKILL"))
      yield* eventOf(job, "HostLost")
      const next = yield* eventOf(job, "HostStarted", 2)
      assert.notStrictEqual(next.pid, pid)
      assert.isFalse(isRunning(pid))
      yield* job.stop()
      const { report } = yield* job.result
      assert.include(serviceOf(report, "test/Frail"), { killSuccess: true, cleanupSuccess: true })
      yield* gone(next.pid ?? 0, 100)
    }).pipe(local))

  it.live("whose head is gone fails the job, which stops within its deadline and says what it could not see", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const cluster = yield* clusterOf([2, 2])
      const layer = Host.layer(frail({ journal: journal.file }), {
        host: "ray",
        stop: { timeout: "2 seconds" },
        ray: { address: cluster.address, token: cluster.token, labels: { place: "2" } }
      })
      const job = yield* submit(Effect.andThen(Frail, Effect.never), layer, { stopPolicy: { deadline: "15 seconds" } })
      const { pid = 0 } = yield* eventOf(job, "HostStarted")
      yield* Effect.promise(async () => cluster.nodes[0]?.stop("SIGKILL"))
      yield* eventOf(job, "StopRequested")
      const since = performance.now()
      const { exit, report } = yield* job.result
      assert.isBelow(performance.now() - since, 16_000)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.include(String(error), "Ray could not be reached at")
      assert.isFalse(report.clean)
      assert.include(JSON.stringify(report.leftovers), "it could not be seen whether its actors are DEAD")
      assert.include(journal.pids("released"), pid)
      yield* until("its process is gone", () => !isRunning(pid), 100)
    }).pipe(local))
})
