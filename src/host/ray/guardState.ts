/**
 * The states of a guard, which starts at most one host, and every transition between them:
 *
 * ```text
 *   Waiting ──► Running ──► Stopping ──► Done     the host ends, or is never started
 *      │           └──────────┬────────►  ▲ │
 *      ├──────────────────────┼───────────┘ │
 *      │ the actor ends       ▼             │ the actor ends
 *      └──► Leaving ◄──── Orphaned          └──► Leaving
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
  /** The host has ended, and so has its process group as far as a kill could end it; or none will be started. */
  | { readonly _tag: "Done" }
  /** The actor has ended before the host. */
  | { readonly _tag: "Orphaned"; readonly child: HostProcess }
  /** Nothing is left to guard. */
  | { readonly _tag: "Leaving" }

export const waiting: GuardState = { _tag: "Waiting" }

export const hostStarted = (state: GuardState, child: HostProcess): GuardState =>
  state._tag === "Waiting" ? { _tag: "Running", child } : state

/** The owner is gone, or it or the actor asks for the end of the host. */
export const stopping = (state: GuardState): GuardState => {
  switch (state._tag) {
    case "Waiting":
      return { _tag: "Done" }
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
      return { _tag: "Done" }
    case "Orphaned":
      return { _tag: "Leaving" }
    default:
      return state
  }
}

export const actorEnded = (state: GuardState): GuardState => {
  switch (state._tag) {
    case "Waiting":
    case "Done":
      return { _tag: "Leaving" }
    case "Running":
    case "Stopping":
      return { _tag: "Orphaned", child: state.child }
    default:
      return state
  }
}
