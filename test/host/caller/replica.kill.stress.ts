import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Host, type JobRun } from "../../../src/index.ts"
import { eventOf, eventsOf, gone, local, patientStart, remotes, slackMs, until } from "../../support/hosts.ts"
import { isAlive } from "../../support/cli.ts"
import { serviceOf, submit } from "../../support/jobs.ts"
import { Frail, frail, HostJournal } from "../services/frail.ts"

describe.each(remotes)("a %s host that does not stop", (host) => {
  const pidOf = (line: { readonly pid?: number }) => {
    if (host === "thread") return assert.isUndefined(line.pid)
    const pid = line.pid ?? assert.fail("the report has no pid")
    assert.isFalse(isAlive(pid), "it still runs")
  }
  /** Waits for the end of a job, which must not wait for the limit of its host. */
  const killedAtOnce = ({ result }: Pick<JobRun<unknown, unknown>, "result">) =>
    Effect.gen(function*() {
      const since = performance.now()
      const { report } = yield* result
      assert.isBelow(performance.now() - since, slackMs)
      const line = serviceOf(report, "test/Frail")
      assert.include(line, { outcome: "killed", running: false })
      pidOf(line)
    })

  it.live("because its event loop is blocked is reported as unresponsive, and killed at its limit", () =>
    Effect.gen(function*() {
      const layer = Host.layer(Frail, { host, heartbeat: "100 millis", stop: { timeout: "1 second" } })
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          yield* client.spin()
        }),
        layer
      )
      yield* eventOf(job, "RunStarted")
      const unresponsive = yield* eventOf(job, "HostUnresponsive")
      assert.include(unresponsive, { service: "test/Frail", replica: 1 })
      const since = performance.now()
      yield* job.stop()
      const { report } = yield* job.result
      assert.isBelow(performance.now() - since, 1_000 + slackMs)
      const line = serviceOf(report, "test/Frail")
      assert.include(line, { outcome: "killed", cleanupCalled: true, cleanupCompleted: false, running: false })
      assert.match(line.error ?? "", /^it did not stop within \d+ ms; killed \((SIGTERM|SIGKILL|terminated)\)$/)
      assert.isAtLeast(line.killMs ?? -1, 0)
      pidOf(line)
      assert.strictEqual(serviceOf(report, "test/Frail/test/Pump").outcome, "killed")
      assert.isFalse(report.clean)
      const killed = yield* eventOf(job, "HostKilled")
      assert.strictEqual(killed.killMs, line.killMs)
      assert.isTrue(report.phases.some(({ phase }) => phase === "kill"))
    }).pipe(local))

  it.live("because its release never ends, and that ignores SIGTERM, is killed at its limit", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, release: "hangs", stubborn: true } as const
      const layer = Host.layer(frail(plan), { host, stop: { timeout: "500 millis" } })
      const job = yield* submit(Effect.asVoid(Frail), layer)
      const { exit, report } = yield* job.result
      assert.isTrue(Exit.isSuccess(exit))
      const line = serviceOf(report, "test/Frail")
      // the host gives its release up a little before the limit, and may still exit in time
      assert.include(["killed", "released"], line.outcome)
      assert.isBelow(line.releaseMs, 500 + slackMs)
      assert.isFalse(report.clean)
      if (host === "ray") assert.isFalse(line.cleanupSuccess)
      assert.include(serviceOf(report, "test/Frail/test/Pump"), { outcome: "killed", running: false })
      pidOf(line)
      assert.strictEqual(journal.pids("release").length, 1)
      assert.strictEqual(journal.pids("released").length, 0)
    }).pipe(local))

  it.live("because its release blocks it is killed at its limit", () =>
    Effect.gen(function*() {
      const layer = Host.layer(frail({ release: "spins", stubborn: true }), { host, stop: { timeout: "500 millis" } })
      const job = yield* submit(Effect.asVoid(Frail), layer)
      const { report } = yield* job.result
      const line = serviceOf(report, "test/Frail")
      assert.include(line, { outcome: "killed", running: false })
      assert.include(line.error, host !== "thread" ? "killed (SIGKILL)" : "killed (terminated)")
      assert.isBelow(line.releaseMs, 500 + slackMs)
      pidOf(line)
    }).pipe(local))

  it.live("is killed at once by a harsher stop", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, release: "hangs" } as const
      const layer = Host.layer(frail(plan), { host, stop: { timeout: "20 seconds" } })
      const job = yield* submit(Effect.andThen(Frail, Effect.never), layer)
      yield* eventOf(job, "RunStarted")
      yield* job.stop()
      yield* until("it is being released", () => journal.pids("release").length > 0)
      yield* job.stop({ mode: "kill" })
      yield* killedAtOnce(job)
    }).pipe(local))

  it.live("is killed at once by the strategy `immediate`", () =>
    Effect.gen(function*() {
      const layer = Host.layer(frail({ release: "hangs" }), { host, stop: { timeout: "20 seconds" } })
      const job = yield* submit(Effect.asVoid(Frail), layer, { stopPolicy: { strategy: "immediate" } })
      yield* eventOf(job, "StopRequested")
      yield* killedAtOnce(job)
    }).pipe(local))

  it.live("does not hold up the interrupt of a call that it has", () =>
    Effect.gen(function*() {
      const layer = Host.layer(Frail, { host, heartbeat: "50 millis", stop: { timeout: "500 millis" } })
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          const call = yield* Effect.forkChild(client.spin(), { startImmediately: true })
          yield* Effect.yieldNow
          yield* Fiber.interrupt(call)
        }),
        layer
      )
      yield* eventOf(job, "HostUnresponsive")
      const { exit, report } = yield* job.result
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.strictEqual(serviceOf(report, "test/Frail").outcome, "killed")
      assert.isFalse((yield* eventsOf(job)).some((event) => event._tag === "HostLost"))
    }).pipe(local))

  it.live("is killed outside of a job, too, once the scope of its layer closes", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, release: "spins" } as const
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(
        Host.layer(frail(plan), { host, start: patientStart, stop: { timeout: "500 millis" } }),
        scope
      )
      const since = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - since, 500 + slackMs)
      const [pid = 0] = journal.pids("release")
      if (host !== "thread") yield* gone(pid, 100)
    }))
})
