import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Cluster } from "../../scripts/ray/cluster.ts"
import { environment } from "../../scripts/ray/environment.ts"
import { Host } from "../../src/index.ts"
import { Frail, frail, HostJournal } from "../host/services/frail.ts"
import { eventOf, gone, isRunning, local, until } from "../support/hosts.ts"
import { serviceOf, submit } from "../support/jobs.ts"
import { refusal } from "./refusal.ts"

it.live("a service that cannot start in a cluster without a dashboard says why", () =>
  Effect.gen(function*() {
    const cluster = yield* Effect.acquireRelease(
      Effect.promise(async () => Cluster.start({ bin: await environment("plain"), cpus: [1], hasDashboard: false })),
      (cluster) => Effect.promise(() => cluster.stop())
    )
    const message = yield* refusal({ address: cluster.address, token: cluster.token })
    assert.include(message, "its API is that of the dashboard, which `ray[default]` has and plain `ray` does not")
  }).pipe(local))

describe("a Ray actor", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ bin: await environment(), cpus: [2] })
    await cluster.addNode(2, { movable: 1 })
  })
  afterAll(() => cluster.stop())

  it.live("whose node is removed is replaced on another one", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const layer = Host.layer(frail({ journal: journal.file }), {
        host: "ray",
        stop: { timeout: "2 seconds" },
        start: { timeout: "60 seconds" },
        ray: { address: cluster.address, token: cluster.token, resources: { movable: 1 } }
      })
      const job = yield* submit(Effect.andThen(Frail, Effect.never), layer)
      const { pid = 0 } = yield* eventOf(job, "HostStarted")
      yield* Effect.promise(() => cluster.addNode(2, { movable: 1 }))
      yield* Effect.promise(async () => cluster.nodes[1]?.stop("SIGKILL"))
      yield* eventOf(job, "HostLost")
      const next = yield* eventOf(job, "HostStarted", 2)
      assert.notStrictEqual(next.pid, pid)
      assert.isFalse(isRunning(pid))
      yield* job.stop()
      const { report } = yield* job.result
      assert.include(serviceOf(report, "test/Frail"), { killSuccess: true, cleanupSuccess: true })
      yield* gone(next.pid ?? 0, 100)
    }).pipe(local))

  // this test is the last because it leaves no cluster
  it.live("whose head is gone fails the job, which stops within its deadline and reports what it could not check", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const layer = Host.layer(frail({ journal: journal.file }), {
        host: "ray",
        stop: { timeout: "2 seconds" },
        ray: { address: cluster.address, token: cluster.token, resources: { movable: 1 } }
      })
      const job = yield* submit(Effect.andThen(Frail, Effect.never), layer, { stopPolicy: { deadline: "10 seconds" } })
      const { pid = 0 } = yield* eventOf(job, "HostStarted")
      yield* Effect.promise(async () => cluster.nodes[0]?.stop("SIGKILL"))
      yield* eventOf(job, "StopRequested")
      const since = performance.now()
      const { exit, report } = yield* job.result
      assert.isBelow(performance.now() - since, 11_000)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.include(String(error), "Ray could not be reached at")
      assert.isFalse(report.clean)
      assert.include(JSON.stringify(report.leftovers), "it could not be seen whether its actors are DEAD")
      assert.include(journal.pids("released"), pid)
      yield* until("its process is gone", () => !isRunning(pid), 100)
    }).pipe(local))
})
