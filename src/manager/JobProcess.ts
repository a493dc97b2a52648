/** The process of one job, as its manager sees it. */
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { JobEvent } from "../JobEvent.ts"
import type { Usage } from "../jobProcess/protocol.ts"
import type { StageReport } from "../StopReport.ts"
import type { CallCounts } from "../telemetry/callCounts.ts"
import type { SpanRecord, TraceContext } from "../telemetry/spanRecord.ts"
import type { Busy, Refused } from "./errors.ts"
import type { JobResult, StopCommand, Submission } from "./models.ts"
import type { OutputLine } from "./outputLine.ts"

/** The permissions of uploaded code, besides running. */
export interface Permissions {
  /** The files and folders that it may read, besides its own. */
  readonly read: ReadonlyArray<string>
  readonly write: ReadonlyArray<string>
  /** True if it may start processes, which are not confined. */
  readonly processes: boolean
}

export interface Confinement extends Permissions {
  /** The folder of the code. */
  readonly folder: string
}

/** The location of the code of a job. */
export interface Code {
  /** The URL of the module that exports the job. */
  readonly module: string
  /** The confinement of uploaded code; `undefined` for a registered module. */
  readonly confinement?: Confinement | undefined
}

export interface Limits {
  /** The memory that the processes of the job may use together, in bytes. */
  readonly memory?: number | undefined
  /** The time after which the job is stopped, in milliseconds. */
  readonly timeMs?: number | undefined
  /** The events of one attempt together, in bytes of JSON; 256 MiB by default. */
  readonly events?: number | undefined
}

/** The callbacks for what happens to a job. They are called in order, and never after `ended`. */
export interface JobWatcher {
  readonly onEvent: (event: JobEvent) => void
  readonly onStages: (stages: ReadonlyArray<StageReport>) => void
  readonly onCalls?: ((counts: ReadonlyArray<CallCounts>) => void) | undefined
  readonly onSpans?: ((spans: ReadonlyArray<SpanRecord>) => void) | undefined
  readonly onUsage?: ((usage: Usage) => void) | undefined
  /** Receives a few lines at a time. The stream is not read further until a returned promise has resolved. */
  readonly onOutput: (
    stream: "stdout" | "stderr",
    lines: ReadonlyArray<OutputLine>
  ) => void | PromiseLike<unknown>
}

/** The job to run, and who watches it. */
export interface JobProcessOptions extends JobWatcher {
  readonly id: string
  readonly submission: Submission
  readonly code: Code
  /** The limits of the job; none by default. */
  readonly limits?: Limits | undefined
  /** The process writes its result to this file before it sends it, because its manager may be gone by then. */
  readonly resultFile: string
  /** Environment variables in addition to those that every job gets. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The place of the job in a trace, if its spans are wanted. */
  readonly trace?: TraceContext | undefined
}

export interface JobProcess {
  readonly pid: number | undefined
  /** The start of the process, in ticks since the machine began, where the system tells. */
  readonly pidStart?: number | undefined
  /** Requests a stop and returns at once. A process that does not stop within its deadline is killed. */
  readonly stop: (command: StopCommand) => void
  /** Returns how the job ended, once nothing of its process is left. Never fails, not even if the process was killed. */
  readonly ended: Effect.Effect<JobResult>
}

/** Starts the processes of jobs. */
export interface Launcher {
  /** Gets ready for as many jobs as there are free slots, which may start at any time. */
  readonly prepare: (slots: number) => void
  readonly start: (options: JobProcessOptions) => JobProcess
  /**
   * Checks that the module exports the job, that the payload matches its Schema, and that its settings can be used, with these
   * variables besides.
   */
  readonly check: (
    code: Code,
    submission: Submission,
    env?: Readonly<Record<string, string>>
  ) => Effect.Effect<void, Refused | Busy>
  /** Returns the JSON Schema of the payload of the module's job, or `undefined` if it cannot be written as one. */
  readonly describe: (
    code: Code,
    env?: Readonly<Record<string, string>>
  ) => Effect.Effect<Schema.Json | undefined, Refused | Busy>
}
