/** The process of one job, as its manager sees it. */
import type * as Effect from "effect/Effect"
import type { JobEvent } from "../JobEvent.ts"
import type { StageReport } from "../StopReport.ts"
import type { Confinement } from "./code/confinement.ts"
import type { JobResult, StopCommand, Submission } from "./models.ts"

/** Where the code of a job is. */
export interface Code {
  /** The module that exports it, as a URL. */
  readonly module: string
  /** There is one for code that somebody has uploaded. */
  readonly confinement?: Confinement | undefined
}

export interface Limits {
  /** The bytes of memory that its processes may take together. */
  readonly memory?: number | undefined
  /** How long it may run until it is stopped. */
  readonly timeMs?: number | undefined
}

/** What to run, and who is told what becomes of it. The callbacks are called in order, and never after `ended`. */
export interface JobProcessOptions {
  readonly id: string
  readonly submission: Submission
  readonly code: Code
  /** What it may take; nothing is no limit. */
  readonly limits?: Limits | undefined
  /** Where it leaves its result, before it tells it, since nobody may be left to hear; its folder has to be there. */
  readonly resultFile: string
  /** What its environment has besides what every job gets. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly onEvent: (event: JobEvent) => void
  readonly onStages: (stages: ReadonlyArray<StageReport>) => void
  /** Whole lines, a few at a time. No more of a stream is read until a promise that is returned has resolved. */
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void | PromiseLike<unknown>
}

export interface JobProcess {
  readonly pid: number | undefined
  /** Asks for a stop, and returns at once. A process that does not stop within its deadline is killed. */
  readonly stop: (command: StopCommand) => void
  /** How the job ended, once nothing of its process is left. There always is an ending, also for one that was killed. */
  readonly ended: Effect.Effect<JobResult>
}

/** Where the processes of jobs come from. */
export interface Launcher {
  readonly start: (options: JobProcessOptions) => JobProcess
  /** Sees to it that a job can be run as it was submitted. Fails with a message for people. */
  readonly check: (code: Code, submission: Submission) => Effect.Effect<void, string>
}
