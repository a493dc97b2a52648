/**
 * The states of a job process as its parent sees it, and all their transitions. Times are milliseconds of a clock that
 * only moves forward.
 */
import type { JobMessage, Reported } from "./protocol.ts"

/**
 * - `Starting`: it has sent nothing yet
 * - `Loading`: it loads the module of the job
 * - `Running`: the job was submitted
 * - `Stopping`: the job has begun its stop
 * - `Reported`: the job has stopped and sent its report, and the process has to exit. It may report without a job, if
 *   that was refused
 */
export type LiveState =
  | { readonly _tag: "Starting"; readonly since: number }
  | { readonly _tag: "Loading"; readonly heardAt: number }
  | { readonly _tag: "Running"; readonly since: number }
  | { readonly _tag: "Stopping"; readonly since: number; readonly runningSince: number }
  | { readonly _tag: "Reported"; readonly heardAt: number; readonly hadJob: boolean; readonly reported: Reported }

/**
 * The reasons for a kill:
 *
 * - `load`: its module did not load in time
 * - `deadline`: its job did not stop in time
 * - `after`: its job had a time limit, and did not stop by itself
 * - `exit`: it did not exit when it was asked to
 * - `silence`: it has reported, and sends nothing any longer although it has not ended
 * - `flood`: it sent more than its parent takes
 * - `interrupt`: the fiber that waited for it was interrupted
 */
export type KillReason = "load" | "deadline" | "after" | "exit" | "silence" | "flood" | "interrupt"

/** `last` is what the process says of itself. Its messages are read while it is killed, and after its end. */
export type JobProcessState =
  | LiveState
  | { readonly _tag: "Killing"; readonly last: LiveState; readonly why: KillReason }
  | { readonly _tag: "Ended"; readonly last: LiveState; readonly why: KillReason | undefined }

export const starting = (now: number): LiveState => ({ _tag: "Starting", since: now })

/** Returns what the process has said of itself so far. */
export const liveStateOf = (state: JobProcessState): LiveState =>
  state._tag === "Killing" || state._tag === "Ended" ? state.last : state

/** Returns why the process was killed, or `undefined` if it was not. */
export const killReasonOf = (state: JobProcessState): KillReason | undefined =>
  state._tag === "Killing" || state._tag === "Ended" ? state.why : undefined

/** Returns true once the job was submitted. */
export const hadJob = (state: LiveState): boolean =>
  state._tag === "Reported" ? state.hadJob : state._tag === "Running" || state._tag === "Stopping"

/** Returns true once the job has begun to stop, and after its end. */
export const isStopping = (state: JobProcessState): boolean =>
  state._tag !== "Starting" && state._tag !== "Loading" && state._tag !== "Running"

export const received = (state: JobProcessState, message: JobMessage, now: number): JobProcessState =>
  state._tag === "Killing" || state._tag === "Ended"
    ? { ...state, last: receivedLive(state.last, message, now) }
    : receivedLive(state, message, now)

export const killed = (state: JobProcessState, why: KillReason): JobProcessState =>
  state._tag === "Killing" || state._tag === "Ended" ? state : { _tag: "Killing", last: state, why }

export const ended = (state: JobProcessState): JobProcessState =>
  state._tag === "Ended" ? state : { _tag: "Ended", last: liveStateOf(state), why: killReasonOf(state) }

const receivedLive = (state: LiveState, message: JobMessage, now: number): LiveState => {
  if (state._tag === "Reported") return { ...state, heardAt: now }
  switch (message._tag) {
    case "Reported":
      return { _tag: "Reported", heardAt: now, hadJob: hadJob(state), reported: message }
    case "JobSubmitted":
      return hadJob(state) ? state : { _tag: "Running", since: now }
    case "StopRequested":
      if (state._tag === "Running") return { _tag: "Stopping", since: now, runningSince: state.since }
      break
    default:
      break
  }
  return hadJob(state) ? state : { _tag: "Loading", heardAt: now }
}
