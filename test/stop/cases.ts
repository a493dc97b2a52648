/** What a stop does in any environment. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Environment, Job } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { eventOf, eventsOf, until } from "../support/hosts.ts"
import { serviceOf, settle } from "../support/jobs.ts"
import { type Case, type CaseRun, errorOf, moment, outcomesOf, phasesOf, withoutJournal } from "./case.ts"
import { Broken } from "./jobs/act.ts"
import badStart from "./jobs/badStart.ts"
import broken from "./jobs/broken.ts"
import chain from "./jobs/chain.ts"
import faulty from "./jobs/faulty.ts"
import hungStart from "./jobs/hungStart.ts"
import listener from "./jobs/listener.ts"
import plain from "./jobs/plain.ts"
import slow from "./jobs/slow.ts"
import stuck from "./jobs/stuck.ts"
import unmanaged from "./jobs/unmanaged.ts"

/** Where the cases run. */
export class Where extends Context.Service<Where, {
  /** An environment, another one each time it is built. */
  readonly environment: Layer.Layer<Environment>
}>()("test/Where") {}

type Body = (at: Case) => Effect.Effect<void, unknown, Environment | Scope.Scope | Where>

const running = (job: CaseRun) => job.journal.wrote("running")

/** The time from the request to stop until all was gone, without the time by which the machine was late. */
const stopMs = (events: ReadonlyArray<{ readonly _tag: string; readonly at: string }>, { journal }: CaseRun) => {
  const at = (tag: string) => Date.parse(events.find(({ _tag }) => _tag === tag)?.at ?? assert.fail(`no ${tag}`))
  return at("JobStopped") - at("StopRequested") - journal.lateMs
}

const endings: Record<string, Body> = {
  "a run that ends: its result is typed, and there after the last service is gone": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "add")
      const { exit, report } = yield* at.end(job)
      assert.deepStrictEqual(exit, Exit.succeed({ at: new Date(moment.getTime() + 1), sum: 2n ** 64n }))
      assert.include(report, { trigger: "completed", outcome: "succeeded", clean: true, job: "plain" })
      assert.deepStrictEqual(job.journal.lines, [
        "opened db",
        "opened cache",
        "running",
        "closing cache",
        "closed cache",
        "closing db",
        "closed db"
      ])
      assertClean(report)
    }),
  "a run that fails: its error is typed": (at) =>
    Effect.gen(function*() {
      const { exit, report } = yield* at.end(yield* at.submit(plain, "fail"))
      assert.instanceOf(errorOf(exit), Broken)
      assert.deepStrictEqual(exit, Exit.fail(new Broken({ at: moment })))
      assert.include(report, { trigger: "failed", outcome: "failed", clean: true })
    }),
  "a run that dies: its defect is there": (at) =>
    Effect.gen(function*() {
      const { exit, report } = yield* at.end(yield* at.submit(plain, "die"))
      assert.include(errorOf(exit), { message: "it broke" })
      assert.include(report, { trigger: "failed", outcome: "failed", clean: true })
    }),
  "Environment.run ends as the job ends": (at) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Environment.run(plain, at.payload("add").payload)).sum, 2n ** 64n)
      assert.deepStrictEqual(
        yield* Effect.flip(Environment.run(plain, at.payload("fail").payload)),
        new Broken({ at: moment })
      )
    }),
  "a service that cannot start: the job fails with its cause, and what had started is released": (at) =>
    Effect.gen(function*() {
      const { exit, report } = yield* at.end(yield* at.submit(badStart, "add"))
      const error = errorOf(exit)
      assert.instanceOf(error, Job.ServiceError)
      assert.include(error, { service: "bad", phase: "start" })
      assert.include(String(error.cause), "bad dies")
      assert.deepStrictEqual(outcomesOf(report), { good: "released", bad: "start-failed" })
      assertClean(report)
    }),
  "a service whose start hangs: it is given up after its limit": (at) =>
    Effect.gen(function*() {
      const { exit, report } = yield* at.end(
        yield* at.submit(hungStart, "add", { stopPolicy: { startTimeout: "1 second" } })
      )
      assert.include(errorOf(exit), { service: "api", phase: "start" })
      assert.include(serviceOf(report, "api"), {
        outcome: "start-failed",
        initialized: false,
        error: "service \"api\" did not start within 1000 ms"
      })
      assert.deepInclude(report.leftovers, { kind: "acquire", detail: "api" })
      assert.strictEqual(serviceOf(report, "db").outcome, "released")
    }),
  "a fiber of a service that dies: the job fails with its cause": (at) =>
    Effect.gen(function*() {
      const { exit, report } = yield* at.end(yield* at.submit(listener, "wait"))
      assert.include(errorOf(exit), { service: "listener", phase: "run" })
      assert.include(report, {
        trigger: "failed",
        outcome: "failed",
        reason: "service \"listener\" failed: connection lost"
      })
      assert.deepStrictEqual(outcomesOf(report), { db: "released", listener: "released" })
    }),
  "a fiber that the run detached: it is interrupted, with its finalizers": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "detach")
      const { report } = yield* at.end(job)
      assert.isTrue(job.journal.has("interrupted"))
      assertClean(report)
    }),
  "a detached fiber that cannot be interrupted: it is left over": (at) =>
    Effect.gen(function*() {
      const { report } = yield* at.end(yield* at.submit(plain, "cling"))
      assert.isFalse(report.clean)
      assert.deepStrictEqual(report.leftovers, [{ kind: "fiber", detail: "a detached fiber does not end" }])
    }),
  "a finalizer of a plain layer that dies: its service is named": (at) =>
    Effect.gen(function*() {
      const { report } = yield* at.end(yield* at.submit(unmanaged, "add"))
      assert.deepStrictEqual(outcomesOf(report), { db: "released", "layer 1": "release-failed" })
      assert.include(serviceOf(report, "layer 1"), { error: "the pool broke", managed: false })
      assert.deepStrictEqual(report.leftovers, [])
    })
}

const stops: Record<string, Body> = {
  "a drain where nothing flows: the run is interrupted": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "wait")
      yield* running(job)
      yield* job.run.stop({ reason: "enough" })
      const { exit, report } = yield* at.end(job)
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.include(report, { trigger: "stopped", reason: "enough", outcome: "cancelled", clean: true })
      assert.deepStrictEqual(phasesOf(report), ["cancel", "release"])
    }),
  "a drain lets a unit of work end, and begins no other": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "units")
      yield* job.journal.wrote("unit begins")
      yield* job.run.stop()
      const { exit, report } = yield* at.end(job, { counts: false })
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.include(report, { trigger: "stopped", outcome: "cancelled", clean: true })
      assert.deepStrictEqual(phasesOf(report), ["drain", "release"])
      const lines = job.journal.lines.filter((line) => line.startsWith("unit"))
      const [stage] = report.stages
      assert.deepStrictEqual(stage, { name: "unit", kind: "unit", count: lines.length / 2 })
      assert.isTrue(lines.every((line, i) => line === (i % 2 === 0 ? "unit begins" : "unit ends")))
    }),
  "a drain that waits for the run lets it end": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "finish", { stopPolicy: { drain: "run" } })
      yield* running(job)
      yield* job.run.stop()
      const { exit, report } = yield* at.end(job)
      assert.isTrue(Exit.isSuccess(exit))
      assert.include(report, { trigger: "stopped", outcome: "succeeded", clean: true })
      assert.deepStrictEqual(phasesOf(report), ["drain", "release"])
    }),
  "a drain loses nothing of what was emitted": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "flow")
      yield* job.journal.wrote("row 30")
      yield* job.run.stop()
      const { exit, report } = yield* at.end(job, { counts: false })
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(phasesOf(report), ["drain", "release"])
      const emitted = report.stages.find(({ name }) => name === "ticks")?.count ?? 0
      assert.isAbove(emitted, 30)
      assert.deepStrictEqual(
        job.journal.lines.filter((line) => line.startsWith("row ")),
        Array.from({ length: emitted }, (_, n) => `row ${n}`)
      )
    }),
  "a cancel counts what it drops, where it was dropped": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "drop")
      yield* job.journal.wrote("row 4")
      yield* job.run.stop({ mode: "cancel" })
      const { report } = yield* at.end(job)
      assert.strictEqual(job.journal.rows, 4)
      const [range, work, ...others] = report.stages
      assert.deepInclude(range, { name: "range", kind: "source", count: 10 })
      assert.deepInclude(work, { name: "work", kind: "mapParallel", count: 4, dropped: 6, upstream: ["range"] })
      assert.deepStrictEqual(others, [])
    }),
  "a kill gives no time": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(stuck, "wait")
      yield* running(job)
      yield* job.run.stop({ mode: "kill" })
      const { events, report } = yield* at.end(job)
      // its release has a limit of a second
      assert.isBelow(stopMs(events, job), 1_000)
      assert.deepStrictEqual(outcomesOf(report), { hangs: "abandoned" })
      assert.include(report, { trigger: "stopped", outcome: "cancelled", clean: false })
    }),
  "a gentle stop is overtaken by a harsher one, and that by the harshest": (at) =>
    Effect.gen(function*() {
      const limit = "20 seconds"
      const job = yield* at.submit(stuck, "stuck", {
        stopPolicy: {
          deadline: "60 seconds",
          drainTimeout: limit,
          cancelTimeout: limit,
          services: { hangs: { release: limit } }
        }
      })
      const { run } = job
      yield* job.journal.wrote("row 1")
      yield* run.stop({ mode: "drain", reason: "deploy" })
      yield* eventOf(run, "PhaseStarted")
      yield* run.stop({ mode: "cancel" })
      yield* eventOf(run, "ServiceReleasing")
      yield* run.stop({ mode: "kill" })
      const { report } = yield* at.end(job)
      assert.deepStrictEqual(phasesOf(report), ["drain", "cancel", "release", "kill"])
      // none of them has had its time
      for (const { durationMs, phase } of report.phases) assert.isBelow(durationMs, 20_000, phase)
      assert.include(report, { trigger: "stopped", reason: "deploy", outcome: "cancelled" })
      assert.strictEqual(serviceOf(report, "hangs").outcome, "abandoned")
    }),
  "a stop is one, however often it is asked for": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(slow, "wait")
      const { run } = job
      yield* running(job)
      yield* Effect.all([run.stop({ reason: "first" }), run.stop({ reason: "first" })], { concurrency: 2 })
      yield* run.stop({ reason: "later" })
      const first = yield* at.end(job)
      assert.include(first.report, { reason: "first", clean: true })
      yield* run.stop({ mode: "kill", reason: "too late" })
      assert.strictEqual(yield* run.status, "stopped")
      assert.deepStrictEqual(withoutJournal((yield* run.result).report), first.report)
      assert.strictEqual(first.events.filter(({ _tag }) => _tag === "StopRequested").length, 1)
    }),
  "whoever asks for the result while a release runs waits for its end": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(slow, "wait")
      yield* running(job)
      const first = yield* Effect.forkChild(job.run.result)
      yield* job.run.stop()
      yield* job.journal.wrote("closing api")
      const second = yield* Effect.forkChild(job.run.result)
      for (const waiting of [first, second]) {
        yield* Fiber.join(waiting)
        assert.strictEqual(job.journal.lines.at(-1), "closed db")
      }
      yield* at.end(job)
    }),
  "a start that hangs does not keep a stop from ending": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(hungStart, "add", { stopPolicy: { cancelTimeout: "300 millis" } })
      yield* eventOf(job.run, "ServiceStarting", 2)
      yield* settle
      yield* job.run.stop()
      const { report } = yield* at.end(job)
      assert.strictEqual(report.outcome, "cancelled")
      assert.deepStrictEqual(outcomesOf(report), { api: "start-failed", db: "released" })
    }),
  "a run that takes no notice of its interrupt is left over": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "sleepless")
      yield* running(job)
      yield* job.run.stop()
      const { report } = yield* at.end(job)
      assert.include(report.phases[0], { phase: "cancel", timedOut: true })
      assert.deepStrictEqual(report.leftovers.map(({ kind }) => kind), ["run"])
      assert.deepStrictEqual(outcomesOf(report), { db: "released", cache: "released" })
    })
}

const settings: Record<string, Body> = {
  "autostop false keeps the services up until a stop, and the run's own end": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "add", { autostop: false })
      yield* eventOf(job.run, "RunEnded")
      assert.strictEqual(yield* job.run.status, "running")
      assert.isFalse(job.journal.has("closing cache"))
      yield* job.run.stop({ reason: "enough" })
      const { exit, report } = yield* at.end(job)
      assert.isTrue(Exit.isSuccess(exit))
      assert.include(report, { trigger: "stopped", reason: "enough", outcome: "succeeded", clean: true })
    }),
  "idle stops once no source has emitted for that long": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "burst", { autostop: { idle: "300 millis" } })
      const { exit, report } = yield* at.end(job)
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(job.journal.rows, 5)
      assert.include(report, { trigger: "idle", outcome: "succeeded", clean: true })
    }),
  "after is a deadline for the run": (at) =>
    Effect.gen(function*() {
      const { report } = yield* at.end(yield* at.submit(plain, "wait", { autostop: { after: "300 millis" } }))
      assert.include(report, { trigger: "deadline", outcome: "cancelled", clean: true })
      assert.isAtLeast(Date.parse(report.stoppedAt) - Date.parse(report.startedAt), 290)
    }),
  "a limit of either kind still stops when the run ends": (at) =>
    Effect.gen(function*() {
      for (const autostop of [{ idle: "1 hour" }, { after: "1 hour" }] as const) {
        const { report } = yield* at.end(yield* at.submit(plain, "add", { autostop }))
        assert.strictEqual(report.trigger, "completed")
      }
    }),
  "the delay goes by with the notice given, then it drains": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "notice", { stopPolicy: { delay: "500 millis" } })
      yield* running(job)
      yield* eventOf(job.run, "RunStarted")
      yield* job.run.stop()
      yield* job.journal.wrote("noticed")
      assert.isFalse(job.journal.has("closing cache"), "it did not wait")
      yield* eventOf(job.run, "StopRequested")
      const { report } = yield* at.end(job)
      assert.deepStrictEqual(phasesOf(report), ["delay", "drain", "release"])
      assert.isAtLeast(report.phases[0]?.durationMs ?? 0, 490)
      assert.strictEqual(report.outcome, "succeeded")
    }),
  "the strategy says which phases there are": (at) =>
    Effect.gen(function*() {
      const phases = Effect.fnUntraced(function*(strategy: "graceful" | "fast" | "immediate" | "patient") {
        const job = yield* at.submit(strategy === "immediate" ? stuck : slow, "burst", { stopPolicy: { strategy } })
        yield* job.journal.wrote("row 5")
        yield* job.run.stop()
        const { report } = yield* at.end(job)
        return [...phasesOf(report), report.outcome, ...new Set(Object.values(outcomesOf(report)))]
      })
      assert.deepStrictEqual(yield* phases("graceful"), ["drain", "release", "succeeded", "released"])
      assert.deepStrictEqual(yield* phases("fast"), ["cancel", "release", "cancelled", "released"])
      assert.deepStrictEqual(yield* phases("immediate"), ["cancel", "release", "kill", "cancelled", "abandoned"])
      assert.deepStrictEqual(yield* phases("patient"), ["drain", "release", "succeeded", "released"])
    }),
  "what cannot be run is refused": (at) =>
    Effect.gen(function*() {
      const { payload } = at.payload("add")
      // @ts-expect-error: the payload does not fit
      const wrong = yield* Effect.flip(Environment.submit(plain, { ...payload, act: "dance" }))
      assert.strictEqual(wrong._tag, "SubmitError")
      const policy = yield* Effect.flip(Environment.submit(plain, payload, { stopPolicy: { deadline: -1 } }))
      assert.strictEqual(policy._tag, "PolicyError")
      const idle = yield* Effect.flip(Environment.submit(plain, payload, { autostop: { idle: 0 } }))
      assert.strictEqual(idle._tag, "PolicyError")
      at.seen.push(policy.message, idle.message)
      const first = yield* at.submit(plain, "wait")
      const taken = yield* Effect.flip(Environment.submit(plain, payload, { id: first.run.id }))
      assert.strictEqual(taken._tag, "SubmitError")
      yield* first.run.stop()
    }),
  "a service whose limit is longer than the deadline is refused, and both are named": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(stuck, "add", {
        stopPolicy: { deadline: "1 second", drainTimeout: 500, cancelTimeout: 500, releaseTimeout: 500 }
      })
      const { exit, report } = yield* at.end(job)
      assert.include(String(errorOf(exit)), "the stop timeout of service \"hangs\" is 4000 ms")
      assert.include(String(errorOf(exit)), "deadline (1000 ms)")
      assert.deepStrictEqual(job.journal.lines, [])
      assert.strictEqual(report.outcome, "failed")
    })
}

const releases: Record<string, Body> = {
  "dependents go first, siblings in parallel": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(slow, "add")
      const { report } = yield* at.end(job)
      const { lines } = job.journal
      const [api, rest, db] = [lines.slice(5, 8), lines.slice(8, 11).toSorted(), lines.slice(11)]
      assert.deepStrictEqual(api, ["closing api", "closed api", lines[7] ?? ""])
      assert.include(["closing left", "closing right"], lines[7])
      assert.include(["closing left", "closing right"], rest.find((line) => line.startsWith("closing")))
      assert.deepStrictEqual(rest.filter((line) => line.startsWith("closed")), ["closed left", "closed right"])
      assert.deepStrictEqual(db, ["closing db", "closed db"])
      assert.deepStrictEqual(
        Object.fromEntries(report.services.map(({ dependsOn, name }) => [name, dependsOn.toSorted()])),
        { db: [], left: ["db"], right: ["db"], api: ["left", "right"] }
      )
    }),
  "one after the other where the concurrency is 1": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(slow, "add", { stopPolicy: { releaseConcurrency: 1, deadline: "8 seconds" } })
      yield* at.end(job)
      const lines = job.journal.lines.slice(5)
      assert.lengthOf(lines, 8)
      for (let i = 0; i < lines.length; i += 2) {
        assert.strictEqual(lines[i + 1], lines[i]?.replace("closing", "closed"))
      }
    }),
  "each that hangs, dies or is late is named, and keeps no other from being released": (at) =>
    Effect.gen(function*() {
      const { exit, report } = yield* at.end(yield* at.submit(faulty, "add"))
      assert.isTrue(Exit.isSuccess(exit))
      assert.include(report, { trigger: "completed", outcome: "succeeded", clean: false })
      assert.deepStrictEqual(outcomesOf(report), {
        db: "released",
        patient: "released",
        late: "timed-out",
        hangs: "abandoned",
        dies: "release-failed"
      })
      assert.include(serviceOf(report, "dies"), { error: "dies dies", cleanupCalled: true, cleanupCompleted: false })
    }),
  "a failed one ends the others at once, if told to": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(broken, "add", { stopPolicy: { onReleaseFailure: "kill" } })
      const { events, report } = yield* at.end(job)
      assert.isBelow(stopMs(events, job), 1_000)
      assert.deepStrictEqual(outcomesOf(report), { bad: "release-failed", hangs: "abandoned" })
    }),
  "a long chain that hangs shares one deadline, and what is beneath has its turn": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(chain, "add", {
        stopPolicy: { deadline: "12 seconds", releaseTimeout: "2 seconds" }
      })
      const { events, report } = yield* at.end(job)
      assert.isBelow(stopMs(events, job), 12_500)
      const { db, ...others } = outcomesOf(report)
      assert.strictEqual(db, "released", JSON.stringify(report))
      assert.deepStrictEqual(new Set(Object.values(others)), new Set(["abandoned"]))
      assert.isTrue(report.services.every(({ cleanupCalled }) => cleanupCalled))
    })
}

const followed: Record<string, Body> = {
  "the events are all there, as they happen and afterwards": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(slow, "nap")
      const live = yield* Effect.forkChild(eventsOf(job.run))
      const { events, report } = yield* at.end(job)
      assert.deepStrictEqual(yield* Fiber.join(live), events)
      assert.strictEqual(events[0]?._tag, "JobSubmitted")
      assert.deepInclude(events.at(-1), { _tag: "JobStopped", outcome: "succeeded", clean: true, at: report.stoppedAt })
      const two = yield* Stream.runCollect(Stream.take(job.run.events, 2))
      assert.deepStrictEqual(two, events.slice(0, 2))
    }),
  "the status follows the job": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(slow, "wait")
      const { run } = job
      // on a slow machine it has started before the question arrives
      assert.include(["starting", "running"], yield* run.status)
      yield* eventOf(run, "RunStarted")
      const statuses = [yield* run.status]
      yield* run.stop()
      yield* eventOf(run, "StopRequested")
      statuses.push(yield* run.status)
      yield* at.end(job)
      statuses.push(yield* run.status)
      assert.deepStrictEqual(statuses, ["running", "stopping", "stopped"])
    }),
  "the counters are told while it runs": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "drop")
      yield* job.journal.wrote("row 4")
      const isTold = (counts: ReadonlyArray<number>) => counts.join() === "10,4"
      while (!isTold((yield* job.run.stages).map(({ count }) => count))) yield* Effect.sleep("10 millis")
      yield* job.run.stop({ mode: "cancel" })
      yield* at.end(job)
    }),
  "a result may be waited for with a time limit, and the job goes on": (at) =>
    Effect.gen(function*() {
      const job = yield* at.submit(plain, "wait")
      yield* running(job)
      const waited = yield* Effect.timeoutOption(job.run.result, "50 millis")
      assert.strictEqual(waited._tag, "None")
      yield* eventOf(job.run, "RunStarted")
      assert.strictEqual(yield* job.run.status, "running")
      yield* job.run.stop()
      assert.strictEqual((yield* at.end(job)).report.reason, undefined)
    })
}

const owners: Record<string, Body> = {
  "a Scope that closes waits for the services of what was submitted in it": (at) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const job = yield* Scope.provide(at.submit(slow, "wait"), scope)
      yield* running(job)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(job.journal.lines.at(-1), "closed db")
      const { report } = yield* at.end(job)
      assert.include(report, { trigger: "stopped", outcome: "cancelled", clean: true })
    }),
  "an interrupt of Environment.run waits for the services": (at) =>
    Effect.gen(function*() {
      const { journal, payload } = at.payload("wait")
      const caller = yield* Effect.forkChild(Environment.run(slow, payload))
      yield* journal.wrote("running")
      yield* Fiber.interrupt(caller)
      assert.strictEqual(journal.lines.at(-1), "closed db")
    }),
  "a submitter that is interrupted while it does something else stops the job": (at) =>
    Effect.gen(function*() {
      const jobs: Array<CaseRun> = []
      const caller = yield* Effect.forkChild(Effect.gen(function*() {
        jobs.push(yield* at.submit(plain, "wait"))
        return yield* Effect.never
      }))
      yield* until("it was submitted", () => jobs.length > 0)
      const [job = assert.fail()] = jobs
      yield* running(job)
      yield* Fiber.interrupt(caller)
      const { report } = yield* at.end(job)
      assert.include(report, { trigger: "stopped", reason: "the fiber that submitted it was interrupted" })
      assertClean(report)
    }),
  "an environment that is released waits for the services of all its jobs": (at) =>
    Effect.gen(function*() {
      const { environment } = yield* Where
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(environment), scope)
      // not in the Scope of the case, which would be the one to stop them
      const submit = Effect.provideContext(at.submit(slow, "wait"), Context.omit(Scope.Scope)(context))
      const detached = yield* Scope.make()
      const jobs = yield* Scope.provide(Effect.all([submit, submit]), detached)
      for (const job of jobs) yield* running(job)
      yield* Scope.close(scope, Exit.void)
      for (const { journal } of jobs) assert.strictEqual(journal.lines.at(-1), "closed db")
    })
}

export const stopCases: Record<string, Record<string, Body>> = {
  "how a job ends": endings,
  "a stop": stops,
  "settings": settings,
  "the release": releases,
  "what is told": followed,
  "owners": owners
}
