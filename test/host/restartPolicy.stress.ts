import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import { Host, Job, type JobEvent, type StopReport } from "../../src/index.ts"
import { eventsOf, local, type RemoteKind, remotes } from "../support/hosts.ts"
import { serviceOf, submit } from "../support/jobs.ts"
import { Frail, frail, HostJournal, type Plan } from "./services/frail.ts"

const delaysOf = (events: ReadonlyArray<JobEvent>) =>
  events.flatMap((event) => event._tag === "HostRestarting" ? [event.delayMs] : [])

/** A job whose host ends again and again, until it is no longer replaced. */
const endless = (host: RemoteKind, restart: Host.RestartPolicy, plan: Plan = { lifeMs: 1 }) =>
  Effect.gen(function*() {
    const job = yield* submit(Effect.never, Host.layer(frail(plan), { host, restart }))
    const { exit, report } = yield* job.result
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
    assert.instanceOf(error, Job.ServiceError)
    assert.include(error, { service: "test/Frail", phase: "run" })
    assert.deepInclude(report, { trigger: "failed", outcome: "failed", reason: error.message })
    const events = yield* eventsOf(job)
    const delays = delaysOf(events)
    assert.strictEqual(events.filter((event) => event._tag === "HostLost").length, delays.length + 1)
    assert.strictEqual(serviceOf(report, "test/Frail").restarts ?? 0, delays.length)
    return { error, delays, report }
  })

const assertHostError = (error: unknown, reason: string, text: string) => {
  assert.instanceOf(error, Host.HostError)
  assert.strictEqual(error.reason, reason)
  assert.include(error.message, text)
}

/** The services of a host that was killed are not released. */
const assertUnclean = (report: StopReport) => {
  assert.isFalse(report.clean)
  const line = serviceOf(report, "test/Frail")
  assert.include(line, { outcome: "release-failed", cleanupCompleted: false, running: false })
  assert.strictEqual(line.error?.split("the host of").length, 2, line.error)
  assert.strictEqual(serviceOf(report, "test/Frail/test/Pump").outcome, "killed")
}

describe.each(remotes)("a %s host that ends again and again", (host) => {
  const ending = host !== "thread" ? "its process was ended by SIGKILL" : "its thread exited with code 1"

  it.live("is never replaced by `never`", () =>
    Effect.gen(function*() {
      const { delays, error, report } = yield* endless(host, Host.restart.never)
      assert.deepStrictEqual(delays, [])
      assertHostError(error.cause, "lost", ending)
      assertUnclean(report)
    }).pipe(local))

  it.live("is replaced as often as `fixed` says, after the same delay", () =>
    Effect.gen(function*() {
      const { delays, error, report } = yield* endless(host, Host.restart.fixed({ delay: "20 millis", times: 2 }))
      assert.deepStrictEqual(delays, [20, 20])
      assertHostError(error.cause, "lost", ending)
      assertUnclean(report)
    }).pipe(local))

  it.live("is replaced by `exponential` after delays that grow up to a limit", () =>
    Effect.gen(function*() {
      const restart = Host.restart.exponential({ delay: "10 millis", factor: 3, maxDelay: "50 millis", times: 3 })
      const { delays } = yield* endless(host, restart)
      assert.deepStrictEqual(delays, [10, 30, 50])
    }).pipe(local))

  it.live("is replaced by `failureRate` up to a number of failures", () =>
    Effect.gen(function*() {
      const restart = Host.restart.failureRate({ failures: 2, interval: "1 minute", delay: "5 millis" })
      const { delays } = yield* endless(host, restart)
      assert.deepStrictEqual(delays, [5, 5])
    }).pipe(local))

  it.live("is replaced as any other Schedule says", () =>
    Effect.gen(function*() {
      const { delays } = yield* endless(host, Schedule.upTo(Schedule.spaced("1 millis"), { times: 1 }))
      assert.deepStrictEqual(delays, [1])
    }).pipe(local))

  it.live("fails the job as well if its replacements do not start", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, start: "second", lifeMs: 1 } as const
      const { delays, error } = yield* endless(host, Host.restart.fixed({ delay: 1, times: 2 }), plan)
      assert.deepStrictEqual(delays, [1, 1])
      assertHostError(error.cause, "start", "the start is stuck")
      assert.strictEqual(journal.pids("start").length, 3)
    }).pipe(local))

  it.live("fails the calls that wait once it is not replaced any more", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, start: "second" } as const
      const restart = Host.restart.fixed({ delay: "10 millis", times: 1 })
      const client = yield* Deferred.make<Frail["Service"]>()
      const job = yield* submit(
        Effect.flatMap(Frail, (frail) => Effect.andThen(Deferred.succeed(client, frail), Effect.never)),
        Host.layer(frail(plan), { host, restart })
      )
      const { end, who } = yield* Deferred.await(client)
      yield* Effect.exit(end())
      assertHostError(yield* Effect.flip(who()), "start", "the start is stuck")
      yield* job.result
    }).pipe(local))
})

describe("`failureRate`", () => {
  it.effect("forgets a failure that is older than its interval", () =>
    Effect.gen(function*() {
      const restart = Host.restart.failureRate({ failures: 2, interval: "1 second", delay: "5 millis" })
      const step = yield* Schedule.toStep(restart)
      const error = new Host.HostError({ service: "s", reason: "lost", message: "gone" })
      for (const at of [0, 600, 1_200, 1_800, 2_400]) yield* step(at, error)
      const last = yield* Effect.exit(step(2_450, error))
      assert.isTrue(Exit.isFailure(last), "three failures within a second")
    }))
})
