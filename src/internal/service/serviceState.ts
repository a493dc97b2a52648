import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Leftover, ServiceOutcome, ServiceReport } from "../../StopReport.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { Node } from "../layers/layerNode.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"

/** What a service is, before it starts. Limits in milliseconds; `undefined` leaves them to the policy. */
export interface ServiceSpec {
  readonly name: string
  readonly host: string
  readonly releaseTimeout: number | undefined
  readonly startTimeout: number | undefined
}

export type State =
  | { readonly _tag: "starting" }
  | { readonly _tag: "running" }
  | { readonly _tag: "releasing"; readonly since: number }
  /** Its limit has passed: its cleanup goes on, but nobody waits for it any longer. */
  | { readonly _tag: "overdue"; readonly since: number }
  | { readonly _tag: "stopped"; readonly outcome: ServiceOutcome; readonly releaseMs: number }

export const starting: State = { _tag: "starting" }
export const running: State = { _tag: "running" }

/** What the line of a service that lives elsewhere tells besides. */
export type Details = Pick<
  ServiceReport,
  "pid" | "restarts" | "killMs" | "actorId" | "nodeId" | "cleanupSuccess" | "killSuccess"
>

/** A service that lives elsewhere, where it can be killed. */
export interface Remote {
  /** Kills what still runs of it, and sees to it that it is gone. Never fails. */
  readonly kill: Effect.Effect<Killed>
  /** Ends what its hosts lived in, once they have ended, within so many milliseconds. Never fails. */
  readonly end: (limitMs: number) => Effect.Effect<void>
  readonly details: () => Details
  /** The lines of its replicas, and of the services within its hosts. */
  readonly lines: () => ReadonlyArray<ServiceReport>
  /** What was left behind in its hosts. */
  readonly leftovers: () => ReadonlyArray<Leftover>
}

/** One service of a job, from its start to its end. Its state changes only in the registry. */
export interface ServiceRecord {
  readonly spec: ServiceSpec
  /** That of its line in the report. */
  name: string
  readonly node: Node
  readonly scope: Scope.Closeable
  /** `run` provided it. */
  readonly nested: boolean
  readonly startedAt: number
  /** Whether those that wait for this release may go on. */
  settled: boolean
  /** What they wait at, once somebody does. */
  waiting: OneShotLatch | undefined
  state: State
  /** Its acquire has not ended. */
  acquiring: boolean
  cleanup: Fiber.Fiber<unknown, unknown> | undefined
  initialized: boolean
  cleanupCalled: boolean
  cleanupCompleted: boolean
  startMs: number
  used: number | undefined
  error: string | undefined
  /** How long its release may take, in milliseconds; known once it is called. */
  allowance: number
  /** Where it lives elsewhere. */
  remote: Remote | undefined
}

/** Whether something of it is still there: an acquire that hangs, a service that was not released, a cleanup. */
export const isRunning = (record: ServiceRecord): boolean =>
  record.cleanupCalled
    ? record.acquiring || isActive(record.cleanup)
    : record.state._tag !== "stopped"

const isActive = (fiber: Fiber.Fiber<unknown, unknown> | undefined): boolean =>
  fiber !== undefined && fiber.pollUnsafe() === undefined

export const settle = (record: ServiceRecord): void => {
  record.settled = true
  record.waiting?.open()
}

export const awaitSettled = (record: ServiceRecord): Effect.Effect<void> =>
  Effect.suspend(() => record.settled ? Effect.void : (record.waiting ??= new OneShotLatch()).await)

/** The line of a service in the report. */
export const lineOf = (record: ServiceRecord, dependsOn: ReadonlyArray<string>): ServiceReport => {
  const stopped = record.state._tag === "stopped" ? record.state : undefined
  const line: { -readonly [Key in keyof ServiceReport]: ServiceReport[Key] } = {
    name: record.name,
    host: record.spec.host,
    initialized: record.initialized,
    cleanupCalled: record.cleanupCalled,
    cleanupCompleted: record.cleanupCompleted,
    running: isRunning(record),
    outcome: stopped?.outcome ?? "abandoned",
    startMs: record.startMs,
    releaseMs: stopped?.releaseMs ?? 0,
    dependsOn
  }
  if (record.used !== undefined) line.used = record.used
  if (record.error !== undefined) line.error = record.error
  return record.remote === undefined ? line : { ...line, ...record.remote.details() }
}
