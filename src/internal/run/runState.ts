/**
 * The life of one run. This file has all of its states and transitions.
 *
 *     Starting ─→ Running ─→ Stopping ─→ Stopped
 *         └────────────────────┘
 *
 * A stop may be asked for again, more harshly: `Stopping` then follows itself. `Stopped` is final.
 */
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobStatus, StopMode } from "../../JobEvent.ts"
import type { StopReport } from "../../StopReport.ts"
import type { Trigger } from "../report/reportSchemas.ts"

/** A request to stop. */
export interface StopRequest {
  readonly trigger: Trigger
  readonly mode: StopMode
  readonly reason?: string | undefined
  /** A deadline in milliseconds, if it is shorter than that of the policy. */
  readonly withinMs?: number | undefined
}

/** The result of a run. */
export interface RunResult {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly report: StopReport
}

export type RunState =
  /** The job's own layers are built. */
  | { readonly _tag: "Starting" }
  | { readonly _tag: "Running" }
  | Stopping
  | { readonly _tag: "Stopped"; readonly result: RunResult }

interface Stopping {
  readonly _tag: "Stopping"
  /** The first request, with the mode of the harshest one. */
  readonly request: StopRequest
  /** The harshness that the stop has reached by itself: it goes on from a drain to the cancel, and to the kill. */
  readonly urgency: StopMode
  /** The failure of the job, if something else than its run failed. */
  readonly failure: Cause.Cause<unknown> | undefined
}

/** The states that may follow each state. */
export const transitions = {
  Starting: ["Running", "Stopping"],
  Running: ["Stopping"],
  Stopping: ["Stopping", "Stopped"],
  Stopped: []
} as const satisfies Readonly<Record<RunState["_tag"], ReadonlyArray<RunState["_tag"]>>>

const severity: Readonly<Record<StopMode, number>> = { drain: 0, cancel: 1, kill: 2 }

const harsher = (a: StopMode, b: StopMode): StopMode => severity[a] >= severity[b] ? a : b

const statuses: Readonly<Record<RunState["_tag"], JobStatus>> = {
  Starting: "starting",
  Running: "running",
  Stopping: "stopping",
  Stopped: "stopped"
}

/** The state of a run, and the latches that open as it changes. Each latch opens in the transition that it stands for. */
export class RunLifecycle {
  #state: RunState = { _tag: "Starting" }
  /** Opens when the stop begins. */
  readonly stopping = new OneShotLatch()
  /** Opens when the run is to be interrupted. */
  readonly cancelling = new OneShotLatch()
  /** Opens when nothing may be waited for any longer. */
  readonly killing = new OneShotLatch()
  /** Opens when the result is there. */
  readonly stopped = new OneShotLatch()

  get state(): RunState {
    return this.#state
  }

  get status(): JobStatus {
    return statuses[this.#state._tag]
  }

  get result(): RunResult | undefined {
    return this.#state._tag === "Stopped" ? this.#state.result : undefined
  }

  /** The failure of the job, if something else than its run failed. */
  get failure(): Cause.Cause<unknown> | undefined {
    return this.#state._tag === "Stopping" ? this.#state.failure : undefined
  }

  /** The job's own layers stand. They may do so while the job is already being stopped. */
  run(): void {
    if (this.#state._tag === "Starting") this.#state = { _tag: "Running" }
  }

  /**
   * Asks for a stop. Returns false if that changes nothing, because the run has stopped or stops as harshly already. The
   * first request names the trigger, a later and harsher one changes the mode. The first failure is kept.
   *
   * `begin` is called before those that wait for the stop go on; `isFirst` is true for the first request.
   */
  stop(
    request: StopRequest,
    begin: (isFirst: boolean) => void,
    { failure, urgency = request.mode }: { readonly failure?: Cause.Cause<unknown>; readonly urgency?: StopMode } = {}
  ): boolean {
    const state = this.#state
    if (state._tag === "Stopped") return false
    if (state._tag !== "Stopping") {
      this.#state = { _tag: "Stopping", request, urgency, failure }
      begin(true)
      this.#openLatches(urgency)
      return true
    }
    const isHarsher = severity[request.mode] > severity[state.request.mode]
    this.#state = {
      _tag: "Stopping",
      request: isHarsher ? { ...state.request, mode: request.mode } : state.request,
      urgency: harsher(state.urgency, urgency),
      failure: state.failure ?? failure
    }
    if (!isHarsher) return false
    begin(false)
    this.#openLatches(urgency)
    return true
  }

  /** The stop goes on to interrupt the run, or to wait for nothing any longer. */
  escalate(urgency: "cancel" | "kill"): void {
    const state = this.#state
    if (state._tag !== "Stopping" || severity[urgency] <= severity[state.urgency]) return
    this.#state = { ...state, urgency }
    this.#openLatches(urgency)
  }

  /** The run has stopped. */
  conclude(result: RunResult): void {
    if (this.#state._tag !== "Stopping") return
    this.#state = { _tag: "Stopped", result }
  }

  /** Lets those go on that wait for the result. */
  announce(): void {
    if (this.#state._tag === "Stopped") this.stopped.open()
  }

  /** The harshest latch opens first: nobody sees a stop that is gentler than it is. */
  #openLatches(urgency: StopMode): void {
    if (urgency === "kill") this.killing.open()
    if (urgency !== "drain") this.cancelling.open()
    this.stopping.open()
  }
}
