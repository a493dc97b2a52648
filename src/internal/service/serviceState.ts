/**
 * The life of one service. This file has all of its states, and says which state may follow which.
 *
 *     Starting ─→ Running ─→ Queued ─→ Releasing ─→ Stopped
 *         │          └───────────┴────────┘ │  ↑       ↑
 *         └─→ Queued, Releasing             ├─→ Killing┤
 *                                           └─→ Overdue┘
 *
 * Any state but the last may end as `Stopped`, which is final.
 */
import type * as Fiber from "effect/Fiber"
import type { ServiceOutcome } from "../report/reportSchemas.ts"

export type ServiceState =
  | Starting
  | Running
  | Queued
  | Releasing
  | Killing
  | Overdue
  | Stopped

/** Its acquire has not ended, and nobody has asked for its release. */
export interface Starting {
  readonly _tag: "Starting"
}

/** Its acquire succeeded. */
export interface Running {
  readonly _tag: "Running"
}

/** Its release was asked for and waits for a permit (`releaseConcurrency`). */
export interface Queued {
  readonly _tag: "Queued"
  /** `true` if its acquire had succeeded before. */
  readonly wasRunning: boolean
}

/** Its release is under way. */
export interface Releasing {
  readonly _tag: "Releasing"
  readonly wasRunning: boolean
  /** The beginning of the release, in monotonic milliseconds. */
  readonly since: number
  /** The limit of the release in milliseconds; `Infinity` is none. */
  readonly limitMs: number
  /** The fiber that closes its scope, unless that ended in its first turn. */
  readonly cleanup: Cleanup | undefined
}

/** Its release missed its limit, and its hosts are being killed. */
export interface Killing {
  readonly _tag: "Killing"
  readonly wasRunning: boolean
  readonly since: number
  readonly cleanup: Cleanup
}

/** Its release missed its limit. Nobody waits for it any longer, but it may still end. */
export interface Overdue {
  readonly _tag: "Overdue"
  readonly wasRunning: boolean
  readonly since: number
  readonly cleanup: Cleanup
}

/** The end. */
export interface Stopped {
  readonly _tag: "Stopped"
  readonly wasRunning: boolean
  readonly outcome: ServiceOutcome
  readonly releaseMs: number
  /** The state of its cleanup: nobody called it, it ended, or its fiber still ran. */
  readonly cleanup: "uncalled" | "completed" | "failed" | Cleanup
}

/** The fiber that closes the scope of a service. */
export type Cleanup = Fiber.Fiber<unknown, unknown>

/** The states that may follow each state. */
export const transitions = {
  Starting: ["Running", "Queued", "Releasing", "Stopped"],
  Running: ["Queued", "Releasing", "Stopped"],
  Queued: ["Releasing", "Stopped"],
  Releasing: ["Releasing", "Killing", "Overdue", "Stopped"],
  Killing: ["Overdue", "Stopped"],
  Overdue: ["Stopped"],
  Stopped: []
} as const satisfies Readonly<Record<ServiceState["_tag"], ReadonlyArray<ServiceState["_tag"]>>>

type Predecessor<To extends ServiceState["_tag"]> = {
  [From in ServiceState["_tag"]]: To extends (typeof transitions)[From][number] ? From : never
}[ServiceState["_tag"]]

/** The states from which a state can be reached. */
export type Before<To extends ServiceState["_tag"]> = Extract<ServiceState, { readonly _tag: Predecessor<To> }>

export const starting: Starting = { _tag: "Starting" }

const isRunning: Running = { _tag: "Running" }

/** The acquire succeeded. */
export const running: (from: Before<"Running">) => Running = () => isRunning

const queuedStates = {
  true: { _tag: "Queued", wasRunning: true },
  false: { _tag: "Queued", wasRunning: false }
} as const

/** The release was asked for, and has to wait for its turn. */
export const queued = (from: Before<"Queued">): Queued => queuedStates[`${wasRunning(from)}`]

/** The release begins. */
export const releasing = (
  from: Exclude<Before<"Releasing">, Releasing>,
  since: number,
  limitMs: number
): Releasing => ({ _tag: "Releasing", wasRunning: wasRunning(from), since, limitMs, cleanup: undefined })

/** The release did not end in its first turn: it is waited for. */
export const awaitingCleanup = (from: Releasing, cleanup: Cleanup): Releasing => ({ ...from, cleanup })

/** The release missed its limit, and what can be killed is killed. */
export const killing = ({ since, wasRunning }: Before<"Killing">, cleanup: Cleanup): Killing => ({
  _tag: "Killing",
  wasRunning,
  since,
  cleanup
})

/** The release missed its limit, and nobody waits for it any longer. */
export const overdue = ({ since, wasRunning }: Before<"Overdue">, cleanup: Cleanup): Overdue => ({
  _tag: "Overdue",
  wasRunning,
  since,
  cleanup
})

/** The end, with an outcome that follows from how the cleanup went. */
export const stopped = (
  from: Before<"Stopped">,
  outcome: ServiceOutcome,
  releaseMs: number,
  cleanup: Stopped["cleanup"]
): Stopped => ({ _tag: "Stopped", wasRunning: wasRunning(from), outcome, releaseMs, cleanup })

/** Returns true if the acquire of the service succeeded. */
export const wasRunning = (state: ServiceState): boolean =>
  state._tag === "Running" || (state._tag !== "Starting" && state.wasRunning)

/** Returns true once nobody has to wait for the release any longer. */
export const isSettled = (state: ServiceState): boolean => state._tag === "Stopped" || state._tag === "Overdue"

/** The state in a word for people. */
export const stateText: Readonly<Record<ServiceState["_tag"], string>> = {
  Starting: "starting",
  Running: "running",
  Queued: "waiting for its release",
  Releasing: "releasing",
  Killing: "being killed",
  Overdue: "overdue",
  Stopped: "stopped"
}
