/**
 * The states of a process that has an owner, and all their transitions. Each transition returns the next state and the
 * actions that belong to it; `processOwner.ts` performs them.
 */
import type { Ending } from "./exitCode.ts"
import type { StopCause } from "./processContext.ts"
import type { Signal } from "./signals.ts"

/** The cause of the end of a process. A crash keeps its code for the exit; it has none if nothing was stopped because of it. */
export type Cause =
  | Extract<StopCause, { readonly _tag: "Signal" | "ParentLost" }>
  | (Extract<StopCause, { readonly _tag: "Crashed" }> & { readonly code: number | undefined })
  /** A signal that another process answers. Nothing in this one is stopped because of it. */
  | { readonly _tag: "Relayed"; readonly signal: Signal }

/**
 * - `Running`: nobody has asked for the end
 * - `Stopping`: tasks and program are being stopped, for each cause in the order in which they came
 * - `Exiting`: the program has ended, and its output is being written. What comes then does not change the exit code, unless
 *   output cannot be written or user code asks for a worse one
 * - `Aborted`: the owner waits no longer and exits with 3
 */
export type OwnerState =
  | { readonly _tag: "Running"; readonly isClean: boolean }
  | { readonly _tag: "Stopping"; readonly isClean: boolean; readonly causes: readonly [Cause, ...Array<Cause>] }
  | { readonly _tag: "Exiting"; readonly ending: Ending; readonly causes: ReadonlyArray<Cause> }
  | { readonly _tag: "Aborted" }

export type OwnerEvent =
  /** A signal that is a request of its own, see `signalRequests.ts`. */
  | { readonly _tag: "Signalled"; readonly signal: Signal }
  | { readonly _tag: "Relayed"; readonly signal: Signal }
  | { readonly _tag: "ParentLost"; readonly reason: string }
  | { readonly _tag: "Crashed"; readonly what: string; readonly error: unknown; readonly code: number | undefined }
  | { readonly _tag: "TaskStopped"; readonly isClean: boolean }
  | { readonly _tag: "ProgramEnded"; readonly code: number }
  | { readonly _tag: "TimeUp" }

export type OwnerAction =
  /** Stops all tasks, and the program once there are none. */
  | { readonly _tag: "Stop"; readonly cause: StopCause }
  /** Stops waiting after the deadline of the tasks and some grace, or soon. */
  | { readonly _tag: "Limit"; readonly within: "deadline" | "grace" }
  /** Ends the process once its output has been read. */
  | { readonly _tag: "Exit"; readonly ending: Ending }
  /** Says why the owner stops waiting, and what has not stopped, and ends the process. */
  | { readonly _tag: "Abort"; readonly why: string }

export interface Transition {
  readonly state: OwnerState
  readonly actions: ReadonlyArray<OwnerAction>
}

export const initial: OwnerState = { _tag: "Running", isClean: true }

export const transition = (state: OwnerState, event: OwnerEvent): Transition => {
  // nothing changes how an aborted process ends
  if (state._tag === "Aborted") return stay(state)
  switch (event._tag) {
    case "Signalled":
      return signalled(state, event)
    case "Relayed":
      return { state: addCause(state, event), actions: [] }
    case "ParentLost":
      return stopped(state, event)
    case "Crashed":
      return stopped(state, event)
    case "TaskStopped":
      return event.isClean || state._tag === "Exiting" ? stay(state) : stay({ ...state, isClean: false })
    case "ProgramEnded": {
      if (state._tag === "Exiting") return stay(state)
      const causes = causesOf(state)
      const crash = crashOf(causes)
      const signal = signalsOf(causes)[0]?.signal
      const ending = { isClean: state.isClean, signal, crash, own: event.code }
      return { state: { _tag: "Exiting", ending, causes }, actions: [{ _tag: "Exit", ending }] }
    }
    case "TimeUp":
      return state._tag === "Running" ? stay(state) : abort("The time is up.")
  }
}

/** The first signal asks for a stop, the second one for a stop without waiting, the third one ends the process. */
const signalled = (
  state: Exclude<OwnerState, { readonly _tag: "Aborted" }>,
  { signal }: Extract<OwnerEvent, { readonly _tag: "Signalled" }>
): Transition => {
  const before = signalsOf(causesOf(state)).length
  if (before >= 2) return abort(`${signal}: exiting.`)
  const cause = { _tag: "Signal", signal, isUrgent: before === 1 } as const
  return {
    state: addCause(state, cause),
    actions: [{ _tag: "Stop", cause }, { _tag: "Limit", within: cause.isUrgent ? "grace" : "deadline" }]
  }
}

/** The deadline counts from the first cause on. */
const stopped = (
  state: Exclude<OwnerState, { readonly _tag: "Aborted" }>,
  cause: Extract<Cause, { readonly _tag: "ParentLost" | "Crashed" }>
): Transition => ({
  state: addCause(state, cause),
  actions: [
    { _tag: "Stop", cause },
    ...(state._tag === "Running" ? [{ _tag: "Limit", within: "deadline" } as const] : [])
  ]
})

const stay = (state: OwnerState): Transition => ({ state, actions: [] })

const abort = (why: string): Transition => ({ state: { _tag: "Aborted" }, actions: [{ _tag: "Abort", why }] })

const addCause = (state: Exclude<OwnerState, { readonly _tag: "Aborted" }>, cause: Cause): OwnerState =>
  state._tag === "Running"
    ? { _tag: "Stopping", isClean: state.isClean, causes: [cause] }
    : state._tag === "Stopping"
    ? { ...state, causes: [...state.causes, cause] }
    : { ...state, causes: [...state.causes, cause] }

export const causesOf = (state: OwnerState): ReadonlyArray<Cause> =>
  state._tag === "Stopping" || state._tag === "Exiting" ? state.causes : []

const signalsOf = (causes: ReadonlyArray<Cause>) => causes.filter((cause) => cause._tag === "Signal")

/** The code of the first crash, because what follows it may be its consequence; an error after `process.exit(0)` is worse. */
export const crashOf = (causes: ReadonlyArray<Cause>): number | undefined => {
  const codes = causes.flatMap((cause) => cause._tag === "Crashed" && cause.code !== undefined ? [cause.code] : [])
  return codes.find((code) => code !== 0) ?? codes[0]
}
