/**
 * The states of a Ray job, as the owner that submits it knows them, and every transition between them:
 *
 * ```text
 *   Preparing ──► Submitted ──► Announced ──► Running ──► Stopped
 *       │             └─────────────┴────┬───────┴───────────┘
 *       │ fails                          ▼ fails, or loses its driver
 *       ├──► Unsubmitted               Lost
 *       │
 *       └─ the owner ends it ──► Ended           Submitted to Lost ── the owner ends it ──► Ending ──► Ended
 * ```
 *
 * A transition that does not exist returns the state as it is: what a cluster says may cross what the owner does.
 */
import type { ActorStates } from "./actorStates.ts"
import type { Driver } from "./rayDriver.ts"

/** `actors` is what Ray says about the actors of the job, once its driver has said which job that is. */
export type RayJobState =
  /** Its files are uploaded: the cluster does not know it yet. */
  | { readonly _tag: "Preparing" }
  /** The cluster may know it. */
  | { readonly _tag: "Submitted" }
  /** Its driver has said where it listens, and is dialed. */
  | { readonly _tag: "Announced"; readonly actors: ActorStates }
  /** Creates and kills actors. */
  | { readonly _tag: "Running"; readonly actors: ActorStates; readonly driver: Driver }
  /** Somebody else has stopped it: its driver ends the actors. */
  | { readonly _tag: "Stopped"; readonly actors: ActorStates; readonly driver: Driver }
  /** Could not be submitted. */
  | { readonly _tag: "Unsubmitted"; readonly why: string }
  /** Has no driver, or none that its owner can reach; `after` says whether somebody else has stopped it before. */
  | {
    readonly _tag: "Lost"
    readonly actors: ActorStates | undefined
    readonly why: string
    readonly after: "failure" | "stop"
  }
  /** Its owner ends it. */
  | { readonly _tag: "Ending"; readonly actors: ActorStates | undefined; readonly driver: Driver | undefined }
  /** Its owner waits no longer for its end. */
  | { readonly _tag: "Ended"; readonly actors: ActorStates | undefined }

export const preparing: RayJobState = { _tag: "Preparing" }

/** The job is about to be submitted. */
export const submitted = (state: RayJobState): RayJobState => state._tag === "Preparing" ? { _tag: "Submitted" } : state

/** The driver has printed where it listens. */
export const announced = (state: RayJobState, actors: ActorStates): RayJobState =>
  state._tag === "Submitted" ? { _tag: "Announced", actors } : state

/** The owner and the driver are connected. */
export const running = (state: RayJobState, driver: Driver): RayJobState =>
  state._tag === "Announced" ? { _tag: "Running", actors: state.actors, driver } : state

/** The driver said that the job is being stopped. */
export const stopped = (state: RayJobState): RayJobState =>
  state._tag === "Running" ? { ...state, _tag: "Stopped" } : state

/** The job could not be started, or the connection with its driver has ended. */
export const lost = (state: RayJobState, why: string): RayJobState => {
  switch (state._tag) {
    case "Preparing":
      return { _tag: "Unsubmitted", why }
    case "Submitted":
    case "Announced":
    case "Running":
    case "Stopped":
      return { _tag: "Lost", actors: actorsOf(state), why, after: state._tag === "Stopped" ? "stop" : "failure" }
    default:
      return state
  }
}

/** The owner no longer wants the job. One that the cluster never knew needs no end. */
export const ending = (state: RayJobState): RayJobState => {
  switch (state._tag) {
    case "Preparing":
    case "Unsubmitted":
      return { _tag: "Ended", actors: undefined }
    case "Ending":
    case "Ended":
      return state
    default:
      return { _tag: "Ending", actors: actorsOf(state), driver: driverOf(state) }
  }
}

/** The owner has seen the end of the job, or has no more time for it. */
export const ended = (state: RayJobState): RayJobState =>
  state._tag === "Ending" ? { _tag: "Ended", actors: state.actors } : state

export const actorsOf = (state: RayJobState): ActorStates | undefined => "actors" in state ? state.actors : undefined

export const driverOf = (state: RayJobState): Driver | undefined => "driver" in state ? state.driver : undefined

/** Returns true if hosts need another job. One that somebody else has stopped, or its owner ends, is not replaced. */
export const isReplaced = (state: RayJobState): boolean =>
  state._tag === "Unsubmitted" || (state._tag === "Lost" && state.after === "failure")
