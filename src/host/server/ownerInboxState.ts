/**
 * The states of what a host knows of its owner's wishes, and every transition between them:
 *
 * ```text
 *   Waiting ──► Initialized ──► Serving
 *      │             └─────┬───────┘
 *      ▼                   ▼ is asked to stop
 *   Refused             Stopping
 * ```
 *
 * A transition that does not exist returns the state as it is.
 */
import type { Init } from "../wire/handshake.ts"
import type { CallServer } from "./callServer.ts"

export type OwnerInboxState =
  /** The owner has not said yet what to serve. */
  | { readonly _tag: "Waiting" }
  /** The services of the host start. */
  | { readonly _tag: "Initialized"; readonly init: Init }
  /** The host takes calls. */
  | { readonly _tag: "Serving"; readonly init: Init; readonly server: CallServer }
  /** The owner asked for a stop within `limitMs`. Calls that run still get their frames; `server` is there if any could be. */
  | {
    readonly _tag: "Stopping"
    readonly init: Init
    readonly server: CallServer | undefined
    readonly limitMs: number
  }
  /** The owner is gone, or asked for a stop, before it said what to serve. */
  | { readonly _tag: "Refused" }

export const waiting: OwnerInboxState = { _tag: "Waiting" }

/** The owner said what to serve. */
export const initialized = (state: OwnerInboxState, init: Init): OwnerInboxState =>
  state._tag === "Waiting" ? { _tag: "Initialized", init } : state

/** The services of the host have started. */
export const serving = (state: OwnerInboxState, server: CallServer): OwnerInboxState => {
  switch (state._tag) {
    case "Initialized":
      return { _tag: "Serving", init: state.init, server }
    case "Stopping":
      return state.server === undefined ? { ...state, server } : state
    default:
      return state
  }
}

/** The owner asked for a stop. The first limit counts. */
export const stopping = (state: OwnerInboxState, limitMs: number): OwnerInboxState => {
  switch (state._tag) {
    case "Waiting":
      return { _tag: "Refused" }
    case "Initialized":
    case "Serving":
      return { _tag: "Stopping", init: state.init, server: serverOf(state), limitMs }
    default:
      return state
  }
}

export const serverOf = (state: OwnerInboxState): CallServer | undefined => "server" in state ? state.server : undefined
