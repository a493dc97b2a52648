import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import type { JobEvent } from "../../src/JobEvent.ts"
import type { StoreError } from "../../src/manager/errors.ts"
import { notStarted } from "../../src/manager/fallbackResult.ts"
import type { JobProcess, JobProcessOptions } from "../../src/manager/JobProcess.ts"
import { layer } from "../../src/manager/jobs/managerService.ts"
import { JobStore } from "../../src/manager/JobStore.ts"
import { Manager } from "../../src/manager/Manager.ts"
import type { JobResult, StopCommand } from "../../src/manager/models.ts"
import { ResultFiles } from "../../src/manager/resultFile.ts"
import { openStore } from "../../src/manager/store/openStore.ts"
import { StopReport, type Trigger } from "../../src/StopReport.ts"

/** A job without a process: it runs until it is stopped, or until the test ends it. */
class FakeProcess implements JobProcess {
  readonly pid = undefined
  readonly stops: Array<StopCommand> = []
  readonly #options: JobProcessOptions
  readonly #ended = Deferred.makeUnsafe<JobResult>()

  constructor(options: JobProcessOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return !Deferred.isDoneUnsafe(this.#ended)
  }

  get ended(): Effect.Effect<JobResult> {
    return Deferred.await(this.#ended)
  }

  readonly stop = (command: StopCommand): void => {
    this.stops.push(command)
    this.#end("stopped", command.reason)
  }

  fail(reason: string): void {
    this.#end("failed", reason)
  }

  succeed(): void {
    this.#end("completed", undefined)
  }

  /** Ends with an exit that may be anything, as code of others may write it. */
  succeedWith(exit: unknown): void {
    this.#end("completed", undefined, exit)
  }

  /** Ends as a process that is killed. */
  lose(): void {
    this.#end("lost", "its process was ended by SIGKILL")
  }

  /** The result that it would write if its manager were gone. */
  get resultAtLoss(): JobResult {
    return this.#resultOf("lost", "its manager is gone")
  }

  report(event: JobEvent): void {
    if (this.isRunning) this.#options.onEvent(event)
  }

  #end(trigger: Trigger, reason: string | undefined, exit?: unknown): void {
    Deferred.doneUnsafe(this.#ended, Effect.succeed(this.#resultOf(trigger, reason, exit)))
  }

  #resultOf(trigger: Trigger, reason: string | undefined, given?: unknown): JobResult {
    const { id, submission: { job } } = this.#options
    const { exit, report } = notStarted({ id, job, trigger, reason, at: new Date(0).toISOString() })
    const outcome = trigger === "completed" ? "succeeded" : report.outcome
    // safe: the manager is to take any
    const result = given === undefined ? exit : given as JobResult["exit"]
    return { exit: result, report: StopReport.trusted({ ...report, outcome }) }
  }
}

/** The latest process of each job that a manager has started, by the ids of the jobs. */
export class Processes extends Context.Service<Processes, Map<string, FakeProcess>>()("test/Processes") {}

const settings = {
  limits: {},
  spares: 0,
  quotas: { queued: 10_000, bundleBytes: 2 ** 30 },
  keep: { jobs: Infinity, ageMs: Infinity },
  logBytes: 1_000_000,
  variables: { each: [], byName: {} },
  uploads: { read: [], write: [], processes: false }
}

export interface ServiceOptions {
  readonly folder: string
  readonly jobs: ReadonlyArray<string>
  readonly concurrency?: number
  /** The largest number of jobs that wait. */
  readonly queued?: number
  /** Called before a process is started. */
  readonly onStart?: (id: string) => void
  /** Wraps the store. */
  readonly storeOf?: (store: JobStore["Service"]) => JobStore["Service"]
}

/** The manager's service with its store in a folder, and with fake job processes. */
export const managerService = (
  { concurrency = 4, folder, jobs, onStart, queued = 10_000, storeOf = (store) => store }: ServiceOptions
): Layer.Layer<Manager | Processes, StoreError> => {
  const processes = new Map<string, FakeProcess>()
  new ResultFiles(folder).create()
  return Layer.provide(
    layer({
      ...settings,
      quotas: { ...settings.quotas, queued },
      jobs: jobs.map((name) => ({ name, module: `test:${name}` })),
      concurrency,
      folder
    }, {
      prepare: () => {},
      check: () => Effect.void,
      describe: () => Effect.succeed({ type: "object" }),
      start: (options) => {
        onStart?.(options.id)
        const process = new FakeProcess(options)
        processes.set(options.id, process)
        return process
      }
    }),
    Layer.effect(JobStore, Effect.map(JobStore, storeOf)).pipe(Layer.provide(openStore(join(folder, "jobs.db"))))
  ).pipe(Layer.tap((context) => Context.get(context, Manager).begin), Layer.merge(Layer.succeed(Processes, processes)))
}
