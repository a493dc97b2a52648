import type { ChildEnd } from "../process/childProcess.ts"
import { isSignal, type Signal } from "../process/signals.ts"
import { type Leftover, StopReport } from "../StopReport.ts"
import { hadJob, type JobProcessState, killReasonOf, liveStateOf } from "./jobProcessState.ts"
import type { Reported } from "./protocol.ts"

/** The end of the process of a job. Nothing of the process is left, unless the report says so. */
export type JobEnd =
  | { readonly _tag: "NotStarted"; readonly message: string }
  | { readonly _tag: "NotLoaded"; readonly limitMs: number }
  /** A signal ended it before its program could listen to signals. */
  | { readonly _tag: "EndedBySignal"; readonly signal: Signal }
  /**
   * It exited by itself, with a report if there was a job. `hadLeftovers` says that something it had started was killed
   * after it.
   */
  | {
    readonly _tag: "Exited"
    readonly code: number
    readonly reported: Reported | undefined
    readonly hadLeftovers: boolean
  }
  /** It was killed, or ended before its job could report. `exit` is there if the job had reported all the same. */
  | { readonly _tag: "Died"; readonly how: string; readonly report: StopReport; readonly exit: Reported["exit"] }

/** The end of a process, as far as its parent knows it before it has looked for what is left. */
export type EndKind =
  | { readonly _tag: "NotStarted"; readonly message: string }
  | { readonly _tag: "NotLoaded" }
  | { readonly _tag: "EndedBySignal"; readonly signal: Signal }
  | { readonly _tag: "Exited"; readonly code: number; readonly reported: Reported | undefined }
  | { readonly _tag: "Died" }

/** Decides how a process ended. A process that was killed, or exited with a job that has not reported, has died. */
export const kindOfEnd = (end: ChildEnd, state: JobProcessState): EndKind => {
  if (end._tag === "NotStarted") return end
  const why = killReasonOf(state)
  if (why !== undefined) return { _tag: why === "load" ? "NotLoaded" : "Died" }
  const last = liveStateOf(state)
  if (end._tag === "Signalled") {
    // the system was quicker than the first line of its program
    return !hadJob(last) && isSignal(end.signal) ? { _tag: "EndedBySignal", signal: end.signal } : { _tag: "Died" }
  }
  if (last._tag === "Reported") return { ...end, reported: last.reported }
  return hadJob(last) ? { _tag: "Died" } : { ...end, reported: undefined }
}

/** The report of a job that has left something behind. */
export const withLeftovers = (report: StopReport, leftovers: ReadonlyArray<Leftover>): StopReport =>
  leftovers.length === 0
    ? report
    : StopReport.trusted({ ...report, clean: false, leftovers: [...report.leftovers, ...leftovers] })
