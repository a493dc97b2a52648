/**
 * The states of a thread, as its owner knows them, and every transition between them:
 *
 * ```text
 *   Loading ──► Running ──► Exiting ──► Terminating
 *
 *   any of these ── an error ──► Failing       any of these, and Failing ──► Exited
 * ```
 *
 * A thread that loads or runs may be terminated, too; that happens once at most. A transition that does not exist returns
 * the state as it is: what a thread sends may cross what its owner does.
 */
import { stackOf } from "../../base/errorText.ts"

export type ThreadState =
  /** It compiles its modules, until it sends its first frame. */
  | { readonly _tag: "Loading" }
  /** Its module is loaded. */
  | { readonly _tag: "Running" }
  /** It has called `process.exit`. */
  | { readonly _tag: "Exiting" }
  /** It was terminated from outside. */
  | { readonly _tag: "Terminating" }
  /** An error was thrown that nothing in it has caught: it exits. */
  | { readonly _tag: "Failing"; readonly error: unknown; readonly wasTerminated: boolean }
  | { readonly _tag: "Exited"; readonly how: string }

export const loading: ThreadState = { _tag: "Loading" }

/** The thread has sent a frame. */
export const loaded = (state: ThreadState): ThreadState => state._tag === "Loading" ? { _tag: "Running" } : state

/** The thread has said that it exits. */
export const exiting = (state: ThreadState): ThreadState =>
  state._tag === "Loading" || state._tag === "Running" ? { _tag: "Exiting" } : state

/** Its owner terminates the thread, unless it did before or the thread has exited. */
export const terminating = (state: ThreadState): ThreadState => {
  switch (state._tag) {
    case "Loading":
    case "Running":
    case "Exiting":
      return { _tag: "Terminating" }
    case "Failing":
      return state.wasTerminated ? state : { ...state, wasTerminated: true }
    default:
      return state
  }
}

/** An error has ended the program of the thread. */
export const failing = (state: ThreadState, error: unknown): ThreadState => {
  switch (state._tag) {
    case "Failing":
    case "Exited":
      return state
    default:
      return { _tag: "Failing", error, wasTerminated: state._tag === "Terminating" }
  }
}

/** The thread has exited. */
export const exited = (state: ThreadState, code: number): ThreadState => {
  switch (state._tag) {
    case "Exited":
      return state
    case "Failing":
      return { _tag: "Exited", how: `its thread failed: ${stackOf(state.error)}` }
    default:
      return { _tag: "Exited", how: `its thread exited with code ${code}` }
  }
}
