/**
 * The life of a job at its manager: every state, and every transition between them.
 *
 * ```text
 *                 due            slot free         process started
 *   Waiting ────────▶ Queued ────────▶ Launching ────────▶ Starting ──▶ Running ──▶ Stopping
 *      ▲                ▲                  │                  │            │            │
 *      │ delay          │ no delay         └──────────────────┴─────┬──────┴────────────┘
 *      │                │                                           ▼
 *      └── Requeuing ◀──┴────────── restarts ◀────────────────── Ending ──────▶ Stopped
 * ```
 *
 * Waiting, Queued and Lost become Ending as well: the first two if a stop is requested, Lost once the process that an
 * earlier manager has started is gone. A state holds what is true in it, and nothing that another state could contradict.
 *
 * A new state, such as a paused one, is one more case of `JobState`, `transition` and `stateInfo`. What belongs to one
 * attempt, such as a fencing token, is a field of `NextAttempt` and `Attempt`.
 */
import type { JobEvent } from "../../JobEvent.ts"
import type { Trigger } from "../../StopReport.ts"
import type { JobProcess } from "../JobProcess.ts"
import type { JobInfo, JobResult, StopCommand } from "../models.ts"

/** An attempt that has no process yet. */
export interface NextAttempt {
  readonly restarts: number
  /** The earliest time of the attempt, in ISO 8601, if it had to wait after a failure. */
  readonly restartsAt?: string
}

/** An attempt whose process was started. */
export interface Attempt {
  readonly restarts: number
  /** The time at which the process was started, in ISO 8601. */
  readonly startedAt: string
  readonly pid: number | undefined
  readonly pidStart?: number | undefined
}

/** A requested stop. A job that is stopped with its manager is restarted by the next one, if it has a restart policy. */
export interface StopRequest {
  readonly by: "client" | "shutdown"
  readonly command: StopCommand
}

/** The part of `JobInfo` that depends on the state. */
export type StateInfo = Omit<JobInfo, "id" | "job" | "priority" | "submittedAt" | "traceparent">

interface Started {
  readonly attempt: Attempt
  readonly process: Pick<JobProcess, "stop">
  readonly stop: StopRequest | undefined
}

export type JobState =
  /** Waits for the time of its next attempt. */
  | { readonly _tag: "Waiting"; readonly next: NextAttempt & { readonly restartsAt: string } }
  /** Waits for a slot. */
  | { readonly _tag: "Queued"; readonly next: NextAttempt }
  /** Has a slot; its code is looked up, and there is no process that could be stopped. */
  | { readonly _tag: "Launching"; readonly next: NextAttempt; readonly stop: StopRequest | undefined }
  | { readonly _tag: "Starting" } & Started
  | { readonly _tag: "Running" } & Started
  /** The process has reported that it stops, for this cause. */
  | { readonly _tag: "Stopping"; readonly cause: Cause } & Started
  /** The process was started by an earlier manager, which is gone. `info` is what that manager stored. */
  | { readonly _tag: "Lost"; readonly info: StateInfo; readonly stop: StopRequest | undefined }
  /** The attempt has ended; whether the job is restarted is not decided yet. `info` is the last one before the end. */
  | {
    readonly _tag: "Ending"
    readonly info: StateInfo
    readonly result: JobResult
    readonly stop: StopRequest | undefined
  }
  /** The job will be restarted; that is not on disk yet. */
  | { readonly _tag: "Requeuing"; readonly next: NextAttempt; readonly stop: StopRequest | undefined }
  /** Has stopped for good. */
  | { readonly _tag: "Stopped"; readonly info: StateInfo }

interface Cause {
  readonly trigger: Trigger
  readonly reason?: string
}

export type Tag = JobState["_tag"]
export type StateOf<T extends Tag> = Extract<JobState, { readonly _tag: T }>

/** The inputs of a transition: all that can happen to a job. */
export type Input =
  /** The time of the next attempt has come. */
  | { readonly _tag: "Due" }
  /** The job was taken from the queue, for a free slot. */
  | { readonly _tag: "SlotFree" }
  | {
    readonly _tag: "ProcessStarted"
    readonly startedAt: string
    readonly process: Pick<JobProcess, "pid" | "pidStart" | "stop">
  }
  /** The process has reported an event. */
  | { readonly _tag: "Reported"; readonly event: JobEvent }
  /** A stop was requested. `notStarted` returns the result of a job that has no process. */
  | {
    readonly _tag: "StopRequested"
    readonly request: StopRequest
    readonly notStarted: (command: StopCommand) => JobResult
  }
  /** The attempt has ended, or could not be started. */
  | { readonly _tag: "Ended"; readonly result: JobResult }
  /** The job is to be restarted: at once, or at a time in ISO 8601. */
  | { readonly _tag: "Restarted"; readonly restartsAt?: string }
  /** The restart is on disk, at a time in milliseconds since 1970. `notStarted` is used if a stop was requested meanwhile. */
  | { readonly _tag: "RestartStored"; readonly now: number; readonly notStarted: (command: StopCommand) => JobResult }
  /** The job is not to be restarted. */
  | { readonly _tag: "Finished" }

/** The state of a job whose next attempt is in the queue, or has to wait for its time. */
export const queued = (next: NextAttempt, now: number): StateOf<"Queued" | "Waiting"> => {
  const { restartsAt } = next
  return restartsAt === undefined || Date.parse(restartsAt) <= now
    ? { _tag: "Queued", next }
    : { _tag: "Waiting", next: { ...next, restartsAt } }
}

/** Returns the next state, or the same object if the input changes nothing. */
export const transition = (state: JobState, input: Input): JobState => {
  switch (state._tag) {
    case "Waiting":
      if (input._tag === "Due") return { _tag: "Queued", next: state.next }
      if (input._tag === "StopRequested") return endingBeforeStart(state, input)
      return state
    case "Queued":
      if (input._tag === "SlotFree") return { _tag: "Launching", next: state.next, stop: undefined }
      if (input._tag === "StopRequested") return endingBeforeStart(state, input)
      return state
    case "Launching":
      if (input._tag === "ProcessStarted") return starting(state, input)
      if (input._tag === "StopRequested") return { ...state, stop: merged(state.stop, input.request) }
      if (input._tag === "Ended") return ending(state, input.result)
      return state
    case "Starting":
    case "Running":
    case "Stopping":
      if (input._tag === "Reported") return reported(state, input.event)
      if (input._tag === "StopRequested") return { ...state, stop: merged(state.stop, input.request) }
      if (input._tag === "Ended") return ending(state, input.result)
      return state
    case "Lost":
      if (input._tag === "StopRequested") return { ...state, stop: merged(state.stop, input.request) }
      if (input._tag === "Ended") return ending(state, input.result)
      return state
    case "Ending":
      if (input._tag === "StopRequested") return { ...state, stop: merged(state.stop, input.request) }
      if (input._tag === "Restarted" && state.stop?.by !== "client") return requeuing(state, input.restartsAt)
      if (input._tag === "Finished") return { _tag: "Stopped", info: stoppedInfo(state) }
      return state
    case "Requeuing":
      if (input._tag === "StopRequested") return { ...state, stop: merged(state.stop, input.request) }
      if (input._tag !== "RestartStored") return state
      return state.stop === undefined
        ? queued(state.next, input.now)
        : endingBeforeStart(state, { request: state.stop, notStarted: input.notStarted })
    case "Stopped":
      return state
  }
}

/** Returns what the public `JobInfo` says of a state. */
export const stateInfo = (state: JobState): StateInfo => {
  switch (state._tag) {
    case "Waiting":
    case "Queued":
    case "Launching":
    case "Requeuing":
      return { state: "queued", ...restartsInfo(state.next), ...restartsAtInfo(state.next) }
    case "Starting":
      return { state: "starting", ...attemptInfo(state.attempt) }
    case "Running":
      return { state: "running", ...attemptInfo(state.attempt) }
    case "Stopping":
      return { state: "stopping", ...attemptInfo(state.attempt), ...state.cause }
    case "Lost":
    case "Ending":
    case "Stopped":
      return state.info
  }
}

const starting = (
  { next: { restarts }, stop }: StateOf<"Launching">,
  { process, startedAt }: Extract<Input, { readonly _tag: "ProcessStarted" }>
): StateOf<"Starting"> => ({
  _tag: "Starting",
  attempt: { restarts, startedAt, pid: process.pid, pidStart: process.pidStart },
  process,
  stop
})

const reported = (state: StateOf<"Starting" | "Running" | "Stopping">, event: JobEvent): JobState => {
  if (event._tag === "RunStarted") return state._tag === "Starting" ? { ...state, _tag: "Running" } : state
  if (event._tag !== "StopRequested") return state
  const { trigger, reason } = state._tag === "Stopping" ? { ...event, ...state.cause } : event
  return { ...state, _tag: "Stopping", cause: { trigger, ...(reason === undefined ? {} : { reason }) } }
}

const ending = (
  state: StateOf<"Launching" | "Starting" | "Running" | "Stopping" | "Lost">,
  result: JobResult
): StateOf<"Ending"> => ({ _tag: "Ending", info: stateInfo(state), result, stop: state.stop })

const endingBeforeStart = (
  state: StateOf<"Waiting" | "Queued" | "Requeuing">,
  { notStarted, request }: Pick<Extract<Input, { readonly _tag: "StopRequested" }>, "request" | "notStarted">
): StateOf<"Ending"> => ({
  _tag: "Ending",
  info: stateInfo(state),
  result: notStarted(request.command),
  stop: request
})

/**
 * Returns the state of a job that will be restarted. A stop by the shutdown ends here: the next manager starts the job
 * again.
 */
const requeuing = ({ info: { restarts = 0 } }: StateOf<"Ending">, restartsAt?: string): StateOf<"Requeuing"> => ({
  _tag: "Requeuing",
  next: { restarts: restarts + 1, ...(restartsAt === undefined ? {} : { restartsAt }) },
  stop: undefined
})

const stoppedInfo = ({ info, result: { report } }: StateOf<"Ending">): StateInfo => {
  const { pid: _, pidStart: __, restartsAt: ___, ...facts } = info
  const { clean, outcome, reason, stoppedAt, trigger } = report
  return { ...facts, state: "stopped", stoppedAt, trigger, outcome, clean, ...(reason === undefined ? {} : { reason }) }
}

/**
 * Merges two requests. The stop of a client stays that of a client. Of two by a client the harsher one counts, and of
 * two alike the later.
 */
const merged = (before: StopRequest | undefined, request: StopRequest): StopRequest => {
  if (before === undefined) return request
  if (before.by !== request.by) return before.by === "client" ? before : request
  return harshness(before) > harshness(request) ? before : request
}

const harshness = ({ command: { mode = "drain" } }: StopRequest): number => ["drain", "cancel", "kill"].indexOf(mode)

const restartsInfo = ({ restarts }: NextAttempt | Attempt) => restarts === 0 ? {} : { restarts }
const restartsAtInfo = ({ restartsAt }: NextAttempt) => restartsAt === undefined ? {} : { restartsAt }
const attemptInfo = (attempt: Attempt) => ({
  ...restartsInfo(attempt),
  startedAt: attempt.startedAt,
  ...(attempt.pid === undefined ? {} : { pid: attempt.pid }),
  ...(attempt.pidStart === undefined ? {} : { pidStart: attempt.pidStart })
})
