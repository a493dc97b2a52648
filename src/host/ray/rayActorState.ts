/**
 * The states of a Ray actor, as the owner of its host knows them, and every transition between them:
 *
 * ```text
 *                           ┌──► HostGone ───┐
 *   Requested ──► Created ──┤                ├──► ProcessesGone ──► Dead
 *                           └──► WorkerGone ─┘
 * ```
 *
 * A transition that does not exist returns the state as it is.
 */
import type { Actor } from "../caller/hostConnection.ts"

/** The ids by which Ray knows an actor and its node. */
export type ActorIds = Pick<Actor, "actorId" | "nodeId">

export type RayActorState =
  /** Was not created yet; `lacks` says what the cluster has for it, as the end of a sentence. */
  | { readonly _tag: "Requested"; readonly lacks: string }
  /** Its processes run, as far as it is known. */
  | { readonly _tag: "Created"; readonly ids: ActorIds }
  /** Nothing is left of the process group of the host. */
  | { readonly _tag: "HostGone"; readonly ids: ActorIds }
  /** Its worker process is gone, or only Ray can see that any longer. */
  | { readonly _tag: "WorkerGone"; readonly ids: ActorIds }
  | { readonly _tag: "ProcessesGone"; readonly ids: ActorIds }
  /** Ray, too, says that it is DEAD. */
  | { readonly _tag: "Dead"; readonly ids: ActorIds }

export const requested: RayActorState = { _tag: "Requested", lacks: "" }

/** The cluster was asked why there is no actor yet. */
export const lacking = (state: RayActorState, lacks: string): RayActorState =>
  state._tag === "Requested" ? { _tag: "Requested", lacks } : state

export const created = (state: RayActorState, ids: ActorIds): RayActorState =>
  state._tag === "Requested" ? { _tag: "Created", ids } : state

/** Nothing of the process group of the host was found. */
export const hostGone = (state: RayActorState): RayActorState => {
  switch (state._tag) {
    case "Created":
      return { _tag: "HostGone", ids: state.ids }
    case "WorkerGone":
      return { _tag: "ProcessesGone", ids: state.ids }
    default:
      return state
  }
}

/** The worker process was not found, or there is no guard any longer that could look for it. */
export const workerGone = (state: RayActorState): RayActorState => {
  switch (state._tag) {
    case "Created":
      return { _tag: "WorkerGone", ids: state.ids }
    case "HostGone":
      return { _tag: "ProcessesGone", ids: state.ids }
    default:
      return state
  }
}

/** Ray says that the actor is DEAD. That alone does not say that its processes are gone. */
export const dead = (state: RayActorState): RayActorState =>
  state._tag === "ProcessesGone" ? { _tag: "Dead", ids: state.ids } : state

/** The actor as the report has it. */
export const actorOf = (state: RayActorState): Actor | undefined =>
  state._tag === "Requested" ? undefined : { ...state.ids, killSuccess: state._tag === "Dead" }

export const isHostGone = ({ _tag }: RayActorState): boolean =>
  _tag === "HostGone" || _tag === "ProcessesGone" || _tag === "Dead"
