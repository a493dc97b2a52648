import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { OneShotLatch } from "../base/oneShotLatch.ts"
import type { Signal } from "./signals.ts"

/** The cause for which a process stops its tasks. */
export type StopCause =
  /** `isUrgent` says that it is not the first signal: the task stops without waiting for anything. */
  | { readonly _tag: "Signal"; readonly signal: Signal; readonly isUrgent: boolean }
  /** The process that this one works for has ended. */
  | { readonly _tag: "ParentLost"; readonly reason: string }
  /** The process itself ends, because an error was not caught or because `process.exit` was called. */
  | { readonly _tag: "Crashed"; readonly what: string; readonly error: unknown }

/** Something in a process that must be stopped before the process ends. */
export interface StoppableTask {
  /** The longest that its stop takes, in milliseconds; `Infinity` is no limit. */
  readonly deadlineMs: number
  /** Asks for a stop. It is called once for each cause, and returns at once. */
  readonly stop: (cause: StopCause) => void
  /** Returns true once its stop has begun, whatever asked for it. */
  readonly isStopping: () => boolean
  /** Opens once the task has stopped. */
  readonly stopped: OneShotLatch
  /** Returns false if the task has stopped and left something behind. */
  readonly isClean: () => boolean
  /** Names the parts that have not stopped yet. */
  readonly pending: () => ReadonlyArray<{ readonly name: string; readonly state: string }>
}

/** A handle or a process that a task left behind. */
export interface Leftover {
  readonly kind: string
  readonly detail: string
}

/** The time that processes have to end. */
export interface Patience {
  /** The time between SIGTERM and SIGKILL, in milliseconds. Without any there is no SIGTERM. */
  readonly limitMs: number
  /** Returns true once nothing may be waited for any longer. */
  readonly isUrgent?: () => boolean
}

/** Finds what is left behind. Processes that are have the time that is given to end. */
export type FindLeftovers = (patience: Patience) => Effect.Effect<ReadonlyArray<Leftover>>

/** Finds nothing, where what is left may be somebody else's. */
export const noLeftovers: FindLeftovers = () => Effect.succeed([])

/** The owner of a process, as the tasks that run in it see it. */
export interface ProcessContext {
  /** Finds what tasks have left behind in the operating system, and ends the processes among it. */
  readonly leftovers: FindLeftovers
  /** Stops the task when the process is to end. Until the task has stopped, the process waits for it. */
  readonly attach: (task: StoppableTask) => void
}

/** Without an owner, a process passes no signals on and reports no leftovers. */
export const CurrentProcess = Context.Reference<ProcessContext>("autostop/process/CurrentProcess", {
  defaultValue: () => ({ leftovers: noLeftovers, attach: () => {} })
})
