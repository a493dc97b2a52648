/** The parts of a job, as its events describe them. */
import type { PhaseReport, ServiceOutcome } from "../StopReport.ts"

/** The host of a service that does not live in the process of its job. */
export interface ServiceHost {
  readonly host: "thread" | "process"
  readonly pid?: number
}

/** A service, as the events of its job describe it. */
export interface KnownService {
  readonly state: PendingState | ServiceOutcome
  /** The time at which this state began, in ISO 8601. */
  readonly at: string
  readonly managed: boolean
  readonly initialized: boolean
  readonly cleanupCalled: boolean
  readonly startMs: number
  readonly releaseMs: number
  readonly dependsOn: ReadonlyArray<string>
  readonly error?: string
  /** The host that it lives in; absent if it lives in the process of its job. */
  readonly host?: string
  /** The limit of its release, from the beginning of that. */
  readonly limitMs?: number
  /** True once its release has passed its limit. */
  readonly isOverdue: boolean
}

/** A phase of the stop that has ended. */
export interface EndedPhase extends PhaseReport {
  readonly limitMs?: number
}

type PendingState = "starting" | "running" | "releasing"

export const isPending = (state: KnownService["state"]): state is PendingState =>
  state === "starting" || state === "running" || state === "releasing"

/** Returns the limit of an event, if it has one. Events come from a job, and may say anything. */
export const limitOf = (event: { readonly limitMs?: number } | undefined): { readonly limitMs?: number } =>
  event?.limitMs === undefined ? {} : { limitMs: Math.max(0, event.limitMs) }
