import * as Effect from "effect/Effect"
import { errorText, messageOf } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { attempt } from "../../base/valueText.ts"
import { Environment } from "../../Environment.ts"
import { configuredDeadline } from "../../internal/policy/programLimits.ts"
import type { Run, RunResult } from "../../internal/run/run.ts"
import { RunObserver } from "../../internal/run/runObserver.ts"
import type * as Job from "../../Job.ts"
import { importModule, pathOf } from "../../jobProcess/jobModule.ts"
import { inMebibytes, pipeLimits } from "../../jobProcess/pipeLimits.ts"
import type { ParentMessage, Start } from "../../jobProcess/protocol.ts"
import { reportRun, send, sendReport } from "../../jobProcess/reportingRun.ts"
import * as LocalEnvironment from "../../LocalEnvironment.ts"
import type { ParentLink } from "../../process/parentLink.ts"
import type { ProcessOwner } from "../../process/processOwner.ts"
import { runOwned } from "../../process/runOwned.ts"
import { StopReport, type Trigger } from "../../StopReport.ts"
import type { CallCounts } from "../../telemetry/callCounts.ts"
import { countingJob } from "../../telemetry/jobCalls.ts"
import { encodeExit } from "../exitCodec.ts"
import { fallbackExit, notStarted } from "../fallbackResult.ts"
import type { JobResult } from "../models.ts"
import { writeResultFile } from "../resultFile.ts"
import { prepareJob } from "./prepareJob.ts"
import { JobInbox, type ReceivedJob } from "./jobInbox.ts"
import type { StopRequests } from "./stopRequests.ts"

/** Runs the job that the manager sends to this process, and further ones if the job allows that. Each writes its result. */
export const runJob = (link: ParentLink<ParentMessage>): void =>
  runOwned((owner) => {
    const inbox = new JobInbox(link, owner)
    return Effect.gen(function*() {
      for (;;) {
        const received = yield* inbox.next
        const runner = new JobRunner(owner, link, received)
        const end = yield* runner.run
        if (end._tag === "Exit") return end.code
        yield* endOutput(end.endOfOutput)
        runner.leave()
      }
    })
  }, { deadlineMs: configuredDeadline, ownsHandles: true })

/** The process after its job: it exits, or waits for another one. */
type JobEnd =
  | { readonly _tag: "Exit"; readonly code: number }
  /** The process waits for another job. The text marks the end of the output. */
  | { readonly _tag: "Stay"; readonly endOfOutput: string }

/** Marks the end of what the job has written, and waits until it is written. */
const endOutput = (marker: string): Effect.Effect<void> =>
  Effect.promise(() =>
    Promise.all(
      [process.stdout, process.stderr].map((stream) =>
        new Promise<void>((resolve) => void stream.write(marker, () => resolve()))
      )
    )
  )

/** The longest report with an exit, in bytes. Its message has a tag besides. */
const longestResult = pipeLimits.message - 1_024

const tooLargeText = `the exit of the job is too large to be sent: the limit is ${inMebibytes(pipeLimits.message)}`
/** The exit instead of one that is too large, once there is one. */
let tooLarge: JobResult["exit"] | undefined

class JobRunner {
  readonly #owner: ProcessOwner
  readonly #link: ParentLink<ParentMessage>
  readonly #stops: StopRequests
  readonly #start: Start
  readonly #reported = new OneShotLatch()
  #stopSayingAlive = (): void => {}

  constructor(owner: ProcessOwner, link: ParentLink<ParentMessage>, { start, stops }: ReceivedJob) {
    this.#owner = owner
    this.#link = link
    this.#stops = stops
    this.#start = start
  }

  get run(): Effect.Effect<JobEnd> {
    return Effect.gen({ self: this }, function*() {
      const { id, module, spec, trace } = this.#start
      const name = pathOf(module)
      // there is no limit here, because the parent has one and can also end a process that blocks
      const exports = yield* importModule(module, name, Infinity)
      const { job, payload, stopPolicy } = yield* prepareJob(exports, name, spec)
      const counts = (counts: ReadonlyArray<CallCounts>) => send({ _tag: "Calls", counts })
      // this is loaded here, because most jobs have no trace
      const telemetry = trace === undefined
        ? countingJob(counts)
        : (yield* Effect.promise(() => import("../../telemetry/jobTracing.ts"))).tracingJob(
          trace,
          { counts, spans: (spans) => send({ _tag: "Spans", spans }) }
        )
      const run = yield* Environment.submit(job, payload, {
        id,
        stopPolicy,
        ...(spec.autostop === undefined ? {} : { autostop: spec.autostop })
      }).pipe(
        Effect.mapError(({ message }) => message),
        Effect.provideService(RunObserver, (run) => this.#follow(job, run)),
        Effect.provide(telemetry)
      )
      const { report } = yield* Effect.uninterruptible(Effect.andThen(this.#reported.await, run.result))
      return this.#endOf(job, report)
    }).pipe(
      Effect.scoped,
      Effect.catch((message) => Effect.sync(() => this.#refuse(message))),
      Effect.onInterrupt(() => Effect.sync(() => this.#interrupted())),
      Effect.provide(LocalEnvironment.layer)
    )
  }

  #follow(job: Job.Any, run: Run): void {
    reportRun(this.#link, run, (result) => this.#conclude(job, result))
    this.#stops.attach(run)
  }

  /** Reports in the same turn in which the job has stopped, unless its Schemas are asynchronous. */
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

  /** Says that nothing is left of the job. The process is the next one's. */
  leave(): void {
    this.#stopSayingAlive()
    send({ _tag: "Idle" })
  }

  /** A job that was stopped or has failed may have left its module in a state that another job does not expect. */
  #endOf(job: Job.Any, { clean, leftovers, outcome, trigger }: StopReport): JobEnd {
    const { endOfOutput } = this.#start
    const isWell = clean && leftovers.length === 0 && trigger === "completed" && this.#owner.crash === undefined
    return job.process === "reused" && endOfOutput !== undefined && isWell
      ? { _tag: "Stay", endOfOutput }
      : { _tag: "Exit", code: outcome === "succeeded" ? 0 : 1 }
  }

  #refuse(message: string): JobEnd {
    this.#reportNotStarted({ trigger: "failed", reason: message })
    return { _tag: "Exit", code: 1 }
  }

  /** The process has to end, and the job has no run yet that could be stopped. */
  #interrupted(): void {
    if (this.#stops.hasRun) return
    const { crash, signal } = this.#owner
    this.#reportNotStarted(
      signal !== undefined
        ? { trigger: "signal", reason: signal }
        : crash !== undefined
        ? { trigger: "failed", reason: `it exited with code ${crash} while it loaded` }
        : { trigger: "lost", reason: "its job manager was gone before the job began" }
    )
  }

  #reportNotStarted(why: { readonly trigger: Trigger; readonly reason: string }): void {
    const { id, spec } = this.#start
    this.#report(notStarted({ id, job: spec.job, at: new Date().toISOString(), ...why }))
  }

  /** Writes the file first, because the manager may be gone before it has stored what is sent to it. */
  #report(result: JobResult): void {
    // the report does not depend on a result that is too large to be sent
    const size = attempt(() => Buffer.byteLength(JSON.stringify(result))) ?? Infinity
    if (size > longestResult && result.exit !== tooLarge) {
      // a job whose exit nobody can read has failed
      const failure = { trigger: "failed", outcome: "failed", reason: tooLargeText } as const
      tooLarge = fallbackExit("failed", tooLargeText)
      return this.#report({ exit: tooLarge, report: StopReport.trusted({ ...result.report, ...failure }) })
    }
    try {
      writeResultFile(this.#start.resultFile, result)
    } catch (error) {
      this.#owner.say(`the result cannot be written to ${this.#start.resultFile}: ${messageOf(error)}`)
    }
    this.#stopSayingAlive = sendReport({ _tag: "Reported", ...result })
    this.#reported.open()
  }
}
