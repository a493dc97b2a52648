import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Host, Job, type StopReport } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { eventOf, gone, local, remotes, runJob, until } from "../../support/hosts.ts"
import { serviceOf, submit } from "../../support/jobs.ts"
import { Frail, frail, HostJournal } from "../services/frail.ts"

const soon = Host.restart.fixed({ delay: "10 millis" })

/** Ends the host that has a call without a cleanup, as the system may. */
const end = ({ end }: Frail["Service"]) => Effect.exit(end())

const assertLost = (error: unknown, ...texts: ReadonlyArray<string>) => {
  assert.instanceOf(error, Host.HostError)
  assert.include(error, { service: "test/Frail", reason: "lost" })
  for (const text of texts) assert.include(error.message, text)
}

/** Checks that a report names what a host that is lost, and was replaced, did not release. */
const assertUnreleased = (report: StopReport, error: string) => {
  assert.isFalse(report.clean)
  assert.include(serviceOf(report, "test/Frail"), { outcome: "released" })
  assert.include(serviceOf(report, "test/Frail/test/Pump"), {
    outcome: "killed",
    cleanupCompleted: false,
    running: false,
    error
  })
}

describe.each(remotes)("a %s host that is lost", (host) => {
  const ending = host !== "thread" ? "its process was ended by SIGKILL" : "its thread exited with code 1"
  const layer = Host.layer(Frail, { host, restart: soon })

  it.live("while it is idle is replaced, and its calls wait for the next one", () =>
    Effect.gen(function*() {
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          const first = yield* client.who()
          if (host !== "thread") process.kill(yield* client.pid(), "SIGKILL")
          else yield* end(client)
          const second = yield* client.who()
          assert.notStrictEqual(second, first)
          yield* client.slow({ ms: 0 })
        }),
        layer
      )
      const { error } = yield* eventOf(job, "HostLost")
      assert.include(error, ending)
      const restarting = yield* eventOf(job, "HostRestarting")
      assert.include(restarting, { service: "test/Frail", replica: 1, attempt: 1, delayMs: 10 })
      const { exit, report } = yield* job.result
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertUnreleased(report, ending)
      const line = serviceOf(report, "test/Frail")
      assert.strictEqual(line.restarts, 1)
      const started = yield* eventOf(job, "HostStarted", 2)
      assert.strictEqual(started.pid, line.pid)
    }).pipe(local))

  it.live("in a call fails it, and the next call goes to the next host", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const first = yield* client.who()
          const call = yield* Effect.forkChild(Effect.flip(client.hang()), { startImmediately: true })
          yield* client.hanging({ calls: 1 })
          yield* Effect.forkChild(end(client), { startImmediately: true })
          assertLost(yield* Fiber.join(call), ending)
          // this request is not idempotent: it is never sent twice
          yield* client.pid()
          assert.notStrictEqual(yield* client.who(), first)
        }),
        layer
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.strictEqual(serviceOf(report, "test/Frail").restarts, 1)
      assertUnreleased(report, ending)
    }).pipe(local))

  it.live("in an idempotent call is replaced, and the call is sent to the next host", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const { exit } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const first = yield* client.who()
          const call = yield* Effect.forkChild(client.hangOnce(), { startImmediately: true })
          yield* client.hanging({ calls: 1 })
          yield* end(client)
          assert.notStrictEqual(yield* Fiber.join(call), first)
          assert.strictEqual(journal.pids("asked").length, 2)
        }),
        Host.layer(frail({ journal: journal.file }), { host, restart: soon })
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
    }).pipe(local))

  it.live("in a stream fails it after the elements that had arrived", () =>
    Effect.gen(function*() {
      const { exit } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const seen: Array<number> = []
          const error = yield* client.three().pipe(
            Stream.runForEach((n) => {
              seen.push(n)
              return n === 3 ? Effect.forkChild(end(client), { startImmediately: true }) : Effect.void
            }),
            Effect.flip
          )
          assertLost(error, ending)
          assert.deepStrictEqual(seen, [1, 2, 3])
        }),
        layer
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
    }).pipe(local))

  it.live("while it starts fails the start, and nothing of it is left", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, start: host !== "thread" ? "hangs" : "ends" } as const
      const job = yield* submit(Effect.void, Host.layer(frail(plan), { host }))
      yield* until("it starts", () => journal.pids("start").length > 0)
      const [pid = 0] = journal.pids("start")
      if (host !== "thread") process.kill(pid, "SIGKILL")
      const { exit, report } = yield* job.result
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.instanceOf(error, Job.ServiceError)
      assert.include(error, { service: "test/Frail", phase: "start" })
      assert.include(error.message, `the host of "test/Frail" could not start: ${ending}`)
      assert.include(serviceOf(report, "test/Frail"), { outcome: "start-failed", running: false })
      if (host !== "thread") yield* gone(pid)
    }).pipe(local))

  it.live("while it stops is reported long before its limit", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, release: host !== "thread" ? "hangs" : "ends" } as const
      const job = yield* submit(Effect.void, Host.layer(frail(plan), { host, stop: { timeout: "20 seconds" } }))
      yield* until("it stops", () => journal.pids("release").length > 0)
      if (host !== "thread") process.kill(journal.pids("release")[0] ?? 0, "SIGKILL")
      const since = performance.now()
      const { exit, report } = yield* job.result
      assert.isBelow(performance.now() - since, 5_000)
      assert.isTrue(Exit.isSuccess(exit), "the loss of a service after the run is no failure of the run")
      assert.isFalse(report.clean)
      const line = serviceOf(report, "test/Frail")
      assert.include(line, { outcome: "release-failed", cleanupCompleted: false, running: false })
      assert.include(line.error, ending)
      assert.include(serviceOf(report, "test/Frail/test/Pump"), { outcome: "killed", cleanupCompleted: false })
    }).pipe(local))

  it.live("because it exits by itself is reported so", () =>
    Effect.gen(function*() {
      const job = yield* submit(
        Effect.flatMap(Frail, (client) => Effect.andThen(Effect.exit(client.exit({ code: 0 })), client.who())),
        layer
      )
      const { error } = yield* eventOf(job, "HostLost")
      assert.include(error, "process.exit(0) was called")
      const { exit, report } = yield* job.result
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertClean(report)
    }).pipe(local))

  it.live("because of an uncaught error is reported with that error", () =>
    Effect.gen(function*() {
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          const error = yield* Effect.flip(client.crash())
          assertLost(error, "nobody catches this")
          yield* client.who()
        }),
        layer
      )
      assert.include((yield* eventOf(job, "HostLost")).error, "nobody catches this")
      const { exit, report } = yield* job.result
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertClean(report)
    }).pipe(local))

  it.live("because a service within it died is reported with that service and its releases", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          yield* Effect.exit(client.breakPump())
          return yield* Effect.never
        }),
        Host.layer(frail({ journal: journal.file }), { host, restart: Host.restart.never })
      )
      const failed = yield* eventOf(job, "ServiceFailed")
      assert.deepInclude(failed, { service: "test/Frail/test/Pump", error: "the pump is broken" })
      const { exit, report } = yield* job.result
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
      assert.instanceOf(error, Job.ServiceError)
      assert.include(error, { service: "test/Frail", phase: "run" })
      assertLost(error.cause, "service \"test/Pump\" failed: the pump is broken")
      assert.include(serviceOf(report, "test/Frail/test/Pump"), { outcome: "released", error: "the pump is broken" })
      assert.include(serviceOf(report, "test/Frail").error, "the pump is broken")
      assert.strictEqual(journal.pids("released").length, 1)
    }).pipe(local))

  it.live("by a failure within it interrupts its calls before it releases anything, even without a limit", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const { exit } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const call = yield* Effect.forkChild(Effect.flip(client.linger()), { startImmediately: true })
          yield* client.hanging({ calls: 1 })
          yield* Effect.exit(client.breakPump())
          assertLost(yield* Fiber.join(call), "the pump is broken")
          assert.deepStrictEqual(journal.happened.slice(0, 4), ["start", "finalized", "release", "released"])
        }),
        Host.layer(frail({ journal: journal.file }), { host, restart: soon }),
        { stopPolicy: { strategy: "patient" } }
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
    }).pipe(local))
})
