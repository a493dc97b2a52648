import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Environment } from "../../Environment.ts"
import { errorText } from "../../base/errorText.ts"
import { importModule, pathOf } from "../../jobProcess/jobModule.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Owner } from "../../process/processOwner.ts"
import { ownProcess } from "../../process/runOwned.ts"
import type { Run, RunResult } from "../../internal/run/run.ts"
import type * as Job from "../../Job.ts"
import * as LocalEnvironment from "../../LocalEnvironment.ts"
import { StopReport } from "../../StopReport.ts"
import { type Supervisor, tellLast } from "../../jobProcess/reportingRun.ts"
import { encodeExit } from "../exitCodec.ts"
import type { JobResult } from "../models.ts"
import { prepareJob, settingsOf } from "./prepareJob.ts"
import { fallbackExit, notStarted } from "../fallbackResult.ts"
import { writeResultFile } from "../resultFile.ts"
import type { Asked, Start, Stop } from "./protocol.ts"

/** Runs the one job that its manager asks this process for, and leaves its result. */
export const runJob = (supervisor: Supervisor<Asked>): void =>
  ownProcess((owner) => {
    const stops = new Stops()
    return Effect.flatMap(
      Effect.callback<Start>((resume) =>
        supervisor.listen((asked) => {
          if (asked === null) owner.lose("its job manager is gone")
          else if (asked._tag === "Start") resume(Effect.succeed(asked))
          else stops.add(asked)
        })
      ),
      (start) => new JobRunner(owner, supervisor, stops, start).run
    )
  }, { ownsHandles: true })

/** What was asked for; the job may still be loading. */
class Stops {
  readonly #early: Array<Stop> = []
  #run: Run | undefined

  add(stop: Stop): void {
    const { command: { mode = "drain", reason }, trigger } = stop
    if (this.#run === undefined) return void this.#early.push(stop)
    // it takes what it may not: however it ends, it has failed
    if (trigger === "failed") this.#run.fail(Cause.die(new Error(reason)), reason ?? "it failed")
    this.#run.stop({ trigger, mode, reason })
  }

  attach(run: Run): void {
    this.#run = run
    for (const stop of this.#early.splice(0)) this.add(stop)
  }
}

class JobRunner {
  readonly #owner: Owner
  readonly #supervisor: Supervisor<Asked>
  readonly #stops: Stops
  readonly #start: Start
  readonly #reported = new OneShotLatch()
  #hasBegun = false

  constructor(owner: Owner, supervisor: Supervisor<Asked>, stops: Stops, start: Start) {
    this.#owner = owner
    this.#supervisor = supervisor
    this.#stops = stops
    this.#start = start
  }

  /** Gives the exit code. */
  get run(): Effect.Effect<number> {
    return Effect.gen({ self: this }, function*() {
      const { id, module, submission } = this.#start
      const name = pathOf(module)
      // how long it may take its supervisor knows, which can also end it where it blocks
      const exports = yield* importModule(module, name, Infinity)
      const { job, payload } = yield* prepareJob(exports, name, submission)
      this.#owner.onFirstRun = (run) => this.#follow(job, run)
      const run = yield* Effect.mapError(
        Environment.submit(job, payload, {
          id,
          stopPolicy: settingsOf(submission),
          ...(submission.autostop === undefined ? {} : { autostop: submission.autostop })
        }),
        ({ message }) => message
      )
      const { report } = yield* Effect.uninterruptible(Effect.andThen(this.#reported.await, run.result))
      return report.outcome === "succeeded" ? 0 : 1
    }).pipe(
      Effect.catch((message) => Effect.sync(() => this.#refuse(message))),
      Effect.onInterrupt(() => Effect.sync(() => this.#interrupted())),
      Effect.provide(LocalEnvironment.layer)
    )
  }

  #follow(job: Job.Any, run: Run): void {
    this.#hasBegun = true
    this.#supervisor.follow(run, (result) => this.#conclude(job, result))
    this.#stops.attach(run)
  }

  /** In the very turn that the job has stopped in, unless its Schemas take longer. */
  #conclude(job: Job.Any, { exit, report }: RunResult): void {
    Effect.runFork(encodeExit(job, exit)).addObserver((encoded) => {
      this.#report({
        exit: encoded._tag === "Success"
          ? encoded.value
          : fallbackExit("failed", `the exit of "${job.name}" cannot be encoded: ${errorText(encoded.cause)}`),
        report: StopReport.trusted({ ...report, environment: "remote" })
      })
    })
  }

  #refuse(message: string): number {
    this.#report(
      notStarted({ id: this.#start.id, job: this.#start.submission.job, trigger: "failed", reason: message, at: now() })
    )
    return 1
  }

  /** The process is to end, and there is no job yet that could be stopped. */
  #interrupted(): void {
    if (this.#hasBegun) return
    const { code, signal } = this.#owner
    const { id, submission } = this.#start
    this.#report(notStarted({
      at: now(),
      id,
      job: submission.job,
      ...(signal !== undefined
        ? { trigger: "signal", reason: signal }
        : code !== undefined
        ? { trigger: "failed", reason: `it exited with code ${code} while it loaded` }
        : { trigger: "lost", reason: "its supervisor was gone before it began" })
    }))
  }

  /** The file comes first: the manager may be gone before it has stored what it is told. */
  #report(result: JobResult): void {
    try {
      writeResultFile(this.#start.resultFile, result)
    } catch (error) {
      this.#owner.say(`the result cannot be written to ${this.#start.resultFile}: ${String(error)}`)
    }
    tellLast({ _tag: "Reported", ...result })
    this.#reported.open()
  }
}

const now = (): string => new Date().toISOString()
