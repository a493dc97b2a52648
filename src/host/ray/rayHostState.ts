/**
 * The states of a host in a Ray actor, as its caller is connected with it, and every transition between them:
 *
 * ```text
 *                           ┌──► Started ────┐
 *   Opening ──► Guarded ────┤                ├──► Open ──► Losing ──► Ended
 *                           └──► Connected ──┘      └───────────────────┘
 *
 *   any of these ──► Exited
 * ```
 *
 * A host that is not open yet has nothing to clean up: it exits at once if something that it lives in is lost. A transition
 * that does not exist returns the state as it is: the messages of guards, drivers and clusters cross each other.
 */
import type { Socket } from "node:net"
import type { HostEnd, RayGuard } from "./rayGuard.ts"

/** The fields of each state from which bytes go both ways. */
interface Sockets {
  readonly guard: RayGuard
  readonly data: Socket
  readonly pid: number
}

export type RayHostState =
  /** Its actor is created, and the guard of that is dialed. */
  | { readonly _tag: "Opening" }
  /** Its guard is connected; the connection for bytes and the process are not there yet. */
  | { readonly _tag: "Guarded"; readonly guard: RayGuard }
  /** Its process runs, and the connection for bytes is not known to be made. */
  | { readonly _tag: "Started"; readonly guard: RayGuard; readonly pid: number }
  /** The connection for bytes is made, and the process is not known to run. */
  | { readonly _tag: "Connected"; readonly guard: RayGuard; readonly data: Socket }
  /** Takes and sends bytes. */
  | { readonly _tag: "Open" } & Sockets
  /** Something that it lived in has ended: it cleans up and ends as well, within its limit. */
  | { readonly _tag: "Losing"; readonly fate: string } & Sockets
  /** Its process has ended; what it sent before is being read. */
  | { readonly _tag: "Ended" } & HostEnd & Sockets
  /** All that it sent has arrived, or nothing is waited for any longer. */
  | {
    readonly _tag: "Exited"
    readonly guard: RayGuard | undefined
    readonly pid: number | undefined
  } & HostEnd

export const opening: RayHostState = { _tag: "Opening" }

/** The guard is connected. */
export const guarded = (state: RayHostState, guard: RayGuard): RayHostState =>
  state._tag === "Opening" ? { _tag: "Guarded", guard } : state

/** The guard has started the process. */
export const started = (state: RayHostState, pid: number): RayHostState => {
  switch (state._tag) {
    case "Guarded":
      return { _tag: "Started", guard: state.guard, pid }
    case "Connected":
      return { _tag: "Open", guard: state.guard, data: state.data, pid }
    default:
      return state
  }
}

/** The connection for bytes is made. */
export const connected = (state: RayHostState, data: Socket): RayHostState => {
  switch (state._tag) {
    case "Guarded":
      return { _tag: "Connected", guard: state.guard, data }
    case "Started":
      return { _tag: "Open", guard: state.guard, data, pid: state.pid }
    default:
      return state
  }
}

/** Something that the host lives in has ended. */
export const losing = (state: RayHostState, fate: string): RayHostState => {
  switch (state._tag) {
    case "Opening":
    case "Guarded":
    case "Started":
    case "Connected":
      return exited(state, fate)
    case "Open":
      return { ...state, _tag: "Losing", fate }
    default:
      return state
  }
}

/** The process has ended. What it lived in may have ended first, or its kill may have been noticed before this. */
export const hostEnded = (state: RayHostState, { how, leftover }: HostEnd): RayHostState => {
  switch (state._tag) {
    case "Opening":
      return state
    case "Guarded":
    case "Started":
    case "Connected":
      return { _tag: "Exited", guard: state.guard, pid: pidOf(state), how, leftover }
    case "Open":
    case "Losing": {
      const { data, guard, pid } = state
      return { _tag: "Ended", data, guard, pid, how: state._tag === "Losing" ? state.fate : how, leftover }
    }
    case "Ended":
    case "Exited":
      return state.leftover !== undefined || leftover === undefined ? state : { ...state, leftover }
  }
}

/** All that the host sent has been read. */
export const drained = (state: RayHostState): RayHostState => state._tag === "Ended" ? exited(state, state.how) : state

/** Nothing more is waited for: the host could not be opened, was killed, or has had its limit. */
export const exited = (state: RayHostState, how: string): RayHostState => {
  if (state._tag === "Exited") return state
  return {
    _tag: "Exited",
    guard: guardOf(state),
    pid: pidOf(state),
    how: state._tag === "Losing" ? state.fate : state._tag === "Ended" ? state.how : how,
    leftover: state._tag === "Ended" ? state.leftover : undefined
  }
}

export const guardOf = (state: RayHostState): RayGuard | undefined => "guard" in state ? state.guard : undefined

export const dataOf = (state: RayHostState): Socket | undefined => "data" in state ? state.data : undefined

export const pidOf = (state: RayHostState): number | undefined => "pid" in state ? state.pid : undefined
