/**
 * The states of a replica, which is one host of a service from its start to its end, and every transition between them:
 *
 * ```text
 *    Starting ──────► Up ──────► Stopping ──┐
 *       │              │            ▲       │
 *       ├──────────────┼────────────┘       │ sends its result
 *       ▼              └──────────┐         │
 *   StartFailed ──────────────► Finished ◄──┘
 *
 *   Starting, StartFailed, Up, Stopping ── sends what is no frame ──► Broken
 *   any of these ── kill ──► Killed       any of these, and Killed ── exit ──► Exited
 * ```
 *
 * A transition that does not exist returns the state as it is: what a host sends may cross what its caller does.
 */
import type { Killed } from "../../process/processGroup.ts"
import type { ServiceOutcome } from "../../StopReport.ts"
import type { HostResult } from "../wire/farewell.ts"

/** `startMs` is the time until a host took calls, and `undefined` if it never did. Times are in milliseconds. */
export type ReplicaState =
  /** Loads its module and starts the services within it. */
  | { readonly _tag: "Starting" }
  /** Cannot start, and ends by itself or is killed. */
  | { readonly _tag: "StartFailed"; readonly reason: string }
  /** Takes calls. */
  | { readonly _tag: "Up"; readonly startMs: number }
  /** Was asked to stop: it releases its services. */
  | { readonly _tag: "Stopping"; readonly startMs: number | undefined }
  /** Has released its services and sent its result; it exits by itself. `asked` if that is because it was to stop. */
  | {
    readonly _tag: "Finished"
    readonly startMs: number | undefined
    readonly asked: boolean
    readonly result: HostResult
  }
  /** Sent what its caller cannot read, and is killed. */
  | { readonly _tag: "Broken"; readonly startMs: number | undefined; readonly reason: string }
  /** Was killed; `killed.gone` is true if that was seen. Its exit has not arrived yet. */
  | {
    readonly _tag: "Killed"
    readonly startMs: number | undefined
    readonly result: HostResult | undefined
    readonly killed: Killed
    /** The reason of the kill, if that was what the host sent. */
    readonly reason: string | undefined
  }
  /** Has ended. A kill may follow, which ends the processes that it left behind. */
  | {
    readonly _tag: "Exited"
    readonly startMs: number | undefined
    readonly result: HostResult | undefined
    readonly killed: Killed | undefined
    /** The reason of its end, as well as it is known. */
    readonly reason: string
    /** It was asked to stop, and did. */
    readonly stopped: boolean
    /** The duration of its stop, once that is over. */
    readonly releaseMs: number
  }

export const starting: ReplicaState = { _tag: "Starting" }

/** The host takes calls, so many milliseconds after its start. */
export const up = (state: ReplicaState, startMs: number): ReplicaState =>
  state._tag === "Starting" ? { _tag: "Up", startMs } : state

/** The host said that it cannot start, or its limit has passed. */
export const startFailed = (state: ReplicaState, reason: string): ReplicaState =>
  state._tag === "Starting" ? { _tag: "StartFailed", reason } : state

/** The host is asked to release its services. */
export const stopping = (state: ReplicaState): ReplicaState =>
  state._tag === "Starting" || state._tag === "Up" ? { _tag: "Stopping", startMs: startMsOf(state) } : state

/** The host sent its result. */
export const finished = (state: ReplicaState, result: HostResult): ReplicaState => {
  switch (state._tag) {
    case "StartFailed":
    case "Up":
    case "Stopping":
      return { _tag: "Finished", startMs: startMsOf(state), asked: state._tag === "Stopping", result }
    default:
      return state
  }
}

/** The host sent what its caller cannot read. */
export const broken = (state: ReplicaState, reason: string): ReplicaState => {
  switch (state._tag) {
    case "Starting":
    case "StartFailed":
    case "Up":
    case "Stopping":
      return { _tag: "Broken", startMs: startMsOf(state), reason }
    default:
      return state
  }
}

/** A kill has ended, whether or not the host is gone. */
export const killed = (state: ReplicaState, killed: Killed): ReplicaState =>
  state._tag === "Exited"
    ? { ...state, killed }
    : { _tag: "Killed", startMs: startMsOf(state), result: resultOf(state), killed, reason: brokenBy(state) }

/** The host has ended as its connection says. */
export const exited = (state: ReplicaState, how: string): ReplicaState => {
  if (state._tag === "Exited") return state
  const result = resultOf(state)
  return {
    _tag: "Exited",
    startMs: startMsOf(state),
    result,
    killed: killedOf(state),
    reason: state._tag === "StartFailed" ? state.reason : result?.failure ?? brokenBy(state) ?? how,
    stopped: state._tag === "Finished" && state.asked,
    releaseMs: 0
  }
}

/** The stop of a host that has ended is over. */
export const released = (state: ReplicaState, releaseMs: number): ReplicaState =>
  state._tag === "Exited" ? { ...state, releaseMs } : state

export const startMsOf = (state: ReplicaState): number | undefined => "startMs" in state ? state.startMs : undefined

export const resultOf = (state: ReplicaState): HostResult | undefined => "result" in state ? state.result : undefined

export const killedOf = (state: ReplicaState): Killed | undefined => "killed" in state ? state.killed : undefined

const brokenBy = (state: ReplicaState): string | undefined =>
  state._tag === "Broken" || state._tag === "Killed" ? state.reason : undefined

/** The reason why a host that took calls failed, or ended without a release of its services. */
export const errorOf = (state: ReplicaState): string | undefined =>
  resultOf(state)?.failure ??
    (state._tag === "Exited" && state.startMs !== undefined && state.result === undefined ? state.reason : undefined)

/** Returns true while something of the host is, or may be, still there. */
export const isRunning = (state: ReplicaState): boolean =>
  state._tag === "Killed" ? !state.killed.gone : state._tag !== "Exited"

/** Returns the outcome in the report. */
export const outcomeOf = (state: ReplicaState): ServiceOutcome => {
  if (startMsOf(state) === undefined) return "start-failed"
  if (killedOf(state)?.gone === true) return "killed"
  if (isRunning(state)) return "abandoned"
  return resultOf(state) === undefined ? "release-failed" : "released"
}
