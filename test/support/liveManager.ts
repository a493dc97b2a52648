import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { JobProcess, JobProcessOptions } from "../../src/manager/JobProcess.ts"
import type { JobEvent } from "../../src/JobEvent.ts"
import type { StoreError } from "../../src/manager/errors.ts"
import { JobStore } from "../../src/manager/JobStore.ts"
import { layer } from "../../src/manager/jobs/managerService.ts"
import { Manager } from "../../src/manager/Manager.ts"
import type { JobResult, StopCommand } from "../../src/manager/models.ts"
import { openStore } from "../../src/manager/store/openStore.ts"
import { notStarted } from "../../src/manager/fallbackResult.ts"
import type { Trigger } from "../../src/StopReport.ts"

/** The process of a job that has none: it starts until it is stopped, or a test has it fail. */
class Process implements JobProcess {
  readonly pid = undefined
  readonly stops: Array<StopCommand> = []
  readonly #options: JobProcessOptions
  readonly #ended = Deferred.makeUnsafe<JobResult>()

  constructor(options: JobProcessOptions) {
    this.#options = options
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

  tell(event: JobEvent): void {
    this.#options.onEvent(event)
  }

  #end(trigger: Trigger, reason: string | undefined): void {
    const { id, submission: { job } } = this.#options
    Deferred.doneUnsafe(
      this.#ended,
      Effect.succeed(notStarted({ id, job, trigger, reason, at: new Date(0).toISOString() }))
    )
  }
}

/** The processes that a manager has started, by the ids of their jobs. */
export class Processes extends Context.Service<Processes, Map<string, Process>>()("test/Processes") {}

const settings = {
  limits: {},
  keep: { jobs: Infinity, ageMs: Infinity },
  logBytes: 1_000_000,
  uploads: { read: [], write: [], processes: false }
}

/** A manager as it is, with its store in a folder, but for the processes of its jobs. */
export const liveManager = (
  { concurrency = 4, folder, jobs, onStart, storeOf = (store) => store }: {
    readonly folder: string
    readonly jobs: ReadonlyArray<string>
    readonly concurrency?: number
    /** Called where a process is to be started. */
    readonly onStart?: (id: string) => void
    /** The store that it has, given the one in the folder. */
    readonly storeOf?: (store: JobStore["Service"]) => JobStore["Service"]
  }
): Layer.Layer<Manager | Processes, StoreError> => {
  const processes = new Map<string, Process>()
  mkdirSync(join(folder, "results"), { recursive: true })
  return Layer.provide(
    layer({ ...settings, jobs: jobs.map((name) => ({ name, module: `test:${name}` })), concurrency, folder }, {
      check: () => Effect.void,
      start: (options) => {
        onStart?.(options.id)
        const process = new Process(options)
        processes.set(options.id, process)
        return process
      }
    }),
    Layer.effect(JobStore, Effect.map(JobStore, storeOf)).pipe(Layer.provide(openStore(join(folder, "jobs.db"))))
  ).pipe(Layer.tap((context) => Context.get(context, Manager).begin), Layer.merge(Layer.succeed(Processes, processes)))
}
