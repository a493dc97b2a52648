import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Host, Job, type StopReport } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { Frail, frail, HostJournal } from "../host/services/frail.ts"
import { eventOf, local, until } from "../support/hosts.ts"
import { serviceOf, submit } from "../support/jobs.ts"
import { ask, noJobs, nothingLeft, type Parts, partsOf, python } from "./cluster.ts"

const name = "faults/Frail"
const soon = Host.restart.fixed({ delay: "10 millis", times: 3 })

/** What happens to a service while its job runs. */
type Fault = (parts: Parts) => Effect.Effect<unknown>

const kill = (part: "worker" | "guard" | "host" | "driver"): Fault => (parts) =>
  Effect.sync(() => process.kill(parts[part], "SIGKILL"))

const rayKill: Fault = ({ actor }) =>
  python(`import ray
ray.init(address="auto", log_to_driver=False)
ray.kill(ray.get_actor("${actor.name}", "${actor.ray_namespace}"), no_restart=True)`)

const stopJob: Fault = ({ job }) => Effect.promise(() => ask(`/api/jobs/${job}/stop`, "POST"))

/** Runs a job whose service is struck by a fault, and returns its state before, its events and its report. */
const struck = (fault: Fault, restart: Host.RestartPolicy, journal: HostJournal) =>
  Effect.gen(function*() {
    const layer = Host.layer(frail({ journal: journal.file, child: "own" }), {
      name,
      host: "ray",
      restart,
      stop: { timeout: "2 seconds" }
    })
    const job = yield* submit(Effect.andThen(Frail, Effect.never), layer)
    const { pid = 0 } = yield* eventOf(job, "HostStarted")
    const parts = yield* partsOf(pid)
    yield* fault(parts)
    const { error } = yield* eventOf(job, "HostLost")
    return { error, job, parts }
  })

const assertCleaned = (journal: HostJournal, pid: number) =>
  assert.include(journal.pids("released"), pid, "it did not clean up")

const killedWell = (report: StopReport) =>
  assert.include(serviceOf(report, name), { cleanupSuccess: true, killSuccess: true, outcome: "released" })

describe("a Ray actor", () => {
  const faults: ReadonlyArray<[what: string, fault: Fault, cleans: boolean, error: RegExp]> = [
    ["whose worker is killed with -9", kill("worker"), true, /its actor has (died|ended)/],
    ["whose Node process is killed with -9", kill("host"), false, /its process was ended by SIGKILL/],
    ["whose guard is killed with -9", kill("guard"), true, /its guard was lost/],
    ["that somebody else kills with ray.kill", rayKill, true, /its actor has (died|ended)/],
    ["whose Ray driver is killed with -9", kill("driver"), true, /the driver of its Ray job was lost/]
  ]
  it.live.each(faults)(
    "%s is replaced, and nothing of it is left",
    ([, fault, cleans, text]) =>
      Effect.gen(function*() {
        using journal = new HostJournal()
        const { error, job, parts } = yield* struck(fault, soon, journal)
        assert.match(error, text)
        const { pid = 0 } = yield* eventOf(job, "HostStarted", 2)
        assert.notStrictEqual(pid, parts.host)
        if (cleans) assertCleaned(journal, parts.host)
        yield* job.stop()
        const { report } = yield* job.result
        killedWell(report)
        assert.deepStrictEqual(report.leftovers.filter(({ kind }) => kind !== "child-process"), [])
        assert.strictEqual(serviceOf(report, name).restarts, 1)
        assertCleaned(journal, pid)
        yield* nothingLeft(parts)
        for (const child of journal.pids("child")) yield* until("its child is gone", () => !alive(child))
        yield* noJobs(name)
      }).pipe(local)
  )

  const fatal = faults.filter(([what]) => /worker|driver/.test(what))
  it.live.each(fatal)(
    "%s fails the job if it is not replaced, and nothing of it is left",
    ([, fault, , text]) =>
      Effect.gen(function*() {
        using journal = new HostJournal()
        const { job, parts } = yield* struck(fault, Host.restart.never, journal)
        const { exit, report } = yield* job.result
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
        assert.instanceOf(error, Job.ServiceError)
        assert.instanceOf(error.cause, Host.HostError)
        assert.strictEqual(error.cause.reason, "lost")
        assert.match(error.message, text)
        assert.strictEqual(report.trigger, "failed")
        yield* nothingLeft(parts)
        yield* noJobs(name)
      }).pipe(local)
  )

  it.live("whose Ray job is stopped by somebody else cleans up, and is not started again", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const { error, job, parts } = yield* struck(stopJob, soon, journal)
      assert.include(error, "its Ray job was stopped")
      const { exit, report } = yield* job.result
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(report.trigger, "failed")
      assertCleaned(journal, parts.host)
      yield* nothingLeft(parts)
      yield* noJobs(name)
    }).pipe(local))

  it.live("whose job ends is cleaned, killed and seen to be DEAD, and its Ray job is deleted", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const layer = Host.layer(frail({ journal: journal.file }), { name, host: "ray" })
      const job = yield* submit(Effect.flatMap(Frail, ({ pid }) => pid()), layer)
      const { pid = 0 } = yield* eventOf(job, "HostStarted")
      const { exit, report } = yield* job.result
      assert.deepStrictEqual(exit, Exit.succeed(pid))
      assertClean(report)
      killedWell(report)
      const line = serviceOf(report, name)
      assert.match(line.actorId ?? "", /^[0-9a-f]{32}$/)
      assert.match(line.nodeId ?? "", /^[0-9a-f]{56}$/)
      assert.strictEqual(line.pid, pid)
      assertCleaned(journal, pid)
      yield* noJobs(name)
    }).pipe(local))
})

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
