import * as Effect from "effect/Effect"
import { OneShotLatch } from "../base/oneShotLatch.ts"
import type { JobEnd } from "../jobProcess/jobEnd.ts"
import type { JobMessage } from "../jobProcess/protocol.ts"
import type { SupervisedJob } from "../jobProcess/supervisedJob.ts"
import { fallbackExit, notStarted } from "../manager/fallbackResult.ts"
import type { JobProcess, JobProcessOptions, JobWatcher } from "../manager/JobProcess.ts"
import type { JobResult } from "../manager/models.ts"
import { passOn } from "../manager/process/passOn.ts"
import { readProcess } from "../process/processTable.ts"

/** The length of the output that is kept until somebody watches, in characters. A job that prints more waits. */
const mostKept = 1024 * 1024

/** A job that was submitted in its process. */
export interface Submitted {
  readonly id: string
  readonly name: string
  readonly job: SupervisedJob
}

type Output = Parameters<JobWatcher["onOutput"]>

const nobody: JobWatcher = { onEvent: () => {}, onOutput: () => {}, onStages: () => {} }

/** Passes on what a job sends and prints, from its start, to a job manager that begins to watch it later. */
export class JobRelay {
  #messages: Array<JobMessage> = []
  #output: Array<Output> = []
  #kept = 0
  #watcher: JobWatcher | undefined
  readonly #watched = new OneShotLatch()
  readonly #ended = Promise.withResolvers<JobEnd>()
  readonly #begun = Promise.withResolvers<Submitted>()
  #submitted: Submitted | undefined

  /** Resolves once the job was submitted: one that is refused never is. */
  get begun(): Promise<Submitted> {
    return this.#begun.promise
  }

  /** The job, if it was submitted. */
  get submitted(): Submitted | undefined {
    return this.#submitted
  }

  take(job: SupervisedJob, message: JobMessage): void {
    if (message._tag === "JobSubmitted") {
      this.#submitted = { id: message.jobId, name: message.job, job }
      this.#begun.resolve(this.#submitted)
    }
    if (this.#watcher === undefined) this.#messages.push(message)
    else passOn(message, this.#watcher)
  }

  readonly takeOutput = (...output: Output): void | PromiseLike<unknown> => {
    if (this.#watcher !== undefined) return this.#watcher.onOutput(...output)
    this.#output.push(output)
    const [, lines] = output
    for (const { text } of lines) this.#kept += text.length
    return this.#kept < mostKept ? undefined : Effect.runPromise(this.#watched.await)
  }

  /** The job has ended, and all of its messages and output were taken. */
  end(end: JobEnd): void {
    this.#ended.resolve(end)
  }

  /** Keeps nothing any longer, because nobody will watch. */
  giveUp(): void {
    this.#begin(nobody)
  }

  /** Returns the process of the job for its manager. What has happened so far is passed on in the next turn. */
  watch(job: SupervisedJob, options: JobProcessOptions): JobProcess {
    queueMicrotask(() => this.#begin(options))
    return {
      pid: job.pid,
      pidStart: job.pid === undefined ? undefined : readProcess(job.pid)?.start,
      stop: ({ mode = "drain", ...command }) => job.stop({ ...command, trigger: "stopped", mode }),
      ended: Effect.map(Effect.promise(() => this.#ended.promise), (end) => resultOf(end, options))
    }
  }

  #begin(watcher: JobWatcher): void {
    this.#watcher = watcher
    for (const message of this.#messages) passOn(message, watcher)
    for (const output of this.#output) void watcher.onOutput(...output)
    this.#messages = []
    this.#output = []
    this.#watched.open()
  }
}

/** The command that runs the job prints its result, and the manager has only the report. */
const resultOf = (end: JobEnd, { id, submission: { job } }: JobProcessOptions): JobResult => {
  const report = end._tag === "Died" ? end.report : end._tag === "Exited" ? end.reported?.report : undefined
  if (report !== undefined) {
    return { exit: fallbackExit(report.outcome, "\"autostop run\" has printed the result of the job"), report }
  }
  return notStarted({ id, job, at: new Date().toISOString(), trigger: "lost", reason: "its process did not begin" })
}
