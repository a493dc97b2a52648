/**
 * The states of a guard, which starts at most one host, and every transition between them:
 *
 * ```text
 *   Waiting ──► Running ──► Stopping
 *      │           │  └─────────┤ │
 *      │ is asked  │ the actor  │ │ the host ends
 *      ▼ to stop   ▼ ends first ▼ └──► Ended
 *   Closed        Orphaned ◄────┘        │
 *      └─────────────┴──────┬────────────┘
 *                           ▼
 *                        Leaving           once neither the actor nor the host is there
 * ```
 *
 * A transition that does not exist returns the state as it is: the ends of the actor, the owner and the host cross.
 */
import type { HostProcess } from "../transport/hostProcess.ts"

export type GuardState =
  /** A host may be started. */
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Running"; readonly child: HostProcess }
  /** The host was told to clean up and end, within its limit. */
  | { readonly _tag: "Stopping"; readonly child: HostProcess }
  /** The host has ended. Processes that it had started may still have to be killed. */
  | { readonly _tag: "Ended"; readonly child: HostProcess }
  /** No host was started, and none will be. */
  | { readonly _tag: "Closed" }
  /** The actor has ended before the host. */
  | { readonly _tag: "Orphaned"; readonly child: HostProcess }
  /** Both the actor and the host have ended, or there was no host. */
  | { readonly _tag: "Leaving"; readonly child: HostProcess | undefined }

export const waiting: GuardState = { _tag: "Waiting" }

export const hostStarted = (state: GuardState, child: HostProcess): GuardState =>
  state._tag === "Waiting" ? { _tag: "Running", child } : state

/** The owner is gone, or it or the actor asks for the end of the host. */
export const stopping = (state: GuardState): GuardState => {
  switch (state._tag) {
    case "Waiting":
      return { _tag: "Closed" }
    case "Running":
      return { _tag: "Stopping", child: state.child }
    default:
      return state
  }
}

export const hostEnded = (state: GuardState): GuardState => {
  switch (state._tag) {
    case "Running":
    case "Stopping":
      return { _tag: "Ended", child: state.child }
    case "Orphaned":
      return { _tag: "Leaving", child: state.child }
    default:
      return state
  }
}

export const actorEnded = (state: GuardState): GuardState => {
  switch (state._tag) {
    case "Running":
    case "Stopping":
      return { _tag: "Orphaned", child: state.child }
    case "Waiting":
    case "Closed":
    case "Ended":
      return { _tag: "Leaving", child: childOf(state) }
    default:
      return state
  }
}

/** The host, also once it has ended. */
export const childOf = (state: GuardState): HostProcess | undefined => "child" in state ? state.child : undefined
