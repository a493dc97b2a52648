/** The process of one job, as its manager sees it. */
import type * as Effect from "effect/Effect"
import type { JobEvent } from "../JobEvent.ts"
import type { StageReport } from "../StopReport.ts"
import type { JobResult, StopCommand, Submission } from "./models.ts"

/** What to run, and who is told what becomes of it. The callbacks are called in order, and never after `ended`. */
export interface JobProcessOptions {
  readonly id: string
  readonly submission: Submission
  /** The module that exports the job, as a URL. */
  readonly module: string
  /** Where it leaves its result, before it tells it: nobody may be left to hear. Whoever has stored it removes it. */
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
