import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { LayerNode, NodeService } from "../layers/layerNode.ts"
import type { Leftover, ServiceReport } from "../report/reportSchemas.ts"
import { type Cleanup, isSettled, type ServiceState, starting, transitions } from "./serviceState.ts"

/** The settings of a service, whatever its name. Limits are milliseconds; `undefined` leaves them to the policy. */
export interface ServiceSettings {
  readonly host: string
  /** `true` if it was declared as a service; `false` if it is a plain layer that has something to release. */
  readonly managed: boolean
  readonly releaseTimeout: number | undefined
  readonly startTimeout: number | undefined
}

/** The definition of a service, before it starts. */
export interface ServiceSpec extends ServiceSettings {
  readonly name: string
}

/** The fields of a report line that a service takes from its hosts; its own error wins. */
export type HostDetails = Pick<
  ServiceReport,
  "error" | "pid" | "restarts" | "killMs" | "actorId" | "nodeId" | "cleanupSuccess" | "killSuccess"
>

/** The hosts of a service that lives elsewhere. */
export interface ServiceHosts {
  /** Kills the hosts that still run, and checks that they are gone. Never fails. */
  readonly kill: Effect.Effect<Killed>
  /** Removes what the hosts lived in, once they have ended, within so many milliseconds. Never fails. */
  readonly end: (limitMs: number) => Effect.Effect<void>
  readonly details: () => HostDetails
  /** The lines of its replicas, and of the services within its hosts. */
  readonly lines: () => ReadonlyArray<ServiceReport>
  /** Returns the leftovers of its hosts. */
  readonly leftovers: () => ReadonlyArray<Leftover>
}

/** One service of a job, from its start to its end. */
export class ServiceRecord implements NodeService {
  readonly settings: ServiceSettings
  readonly node: LayerNode<ServiceRecord>
  readonly scope: Scope.Closeable
  /** `true` if `run` provided it, and not the job's `services`. */
  readonly isFromRun: boolean
  /** The beginning of its acquire, in monotonic milliseconds. */
  readonly startedAt: number
  /** The name that it wants, which another service may have. */
  readonly wantedName: string
  /** The name of its line in the report. */
  name: string
  startMs = 0
  /** The number of calls, if they can be counted. */
  used: number | undefined = undefined
  error: string | undefined = undefined
  /** Its hosts, if it lives elsewhere. */
  hosts: ServiceHosts | undefined = undefined
  #state: ServiceState = starting
  #settled: OneShotLatch | undefined

  constructor(
    settings: ServiceSettings,
    wantedName: string,
    name: string,
    node: LayerNode<ServiceRecord>,
    scope: Scope.Closeable,
    isFromRun: boolean,
    startedAt: number
  ) {
    this.settings = settings
    this.wantedName = wantedName
    this.name = name
    this.node = node
    this.scope = scope
    this.isFromRun = isFromRun
    this.startedAt = startedAt
  }

  get state(): ServiceState {
    return this.#state
  }

  /** Changes the state. Returns false, and changes nothing, if the new state cannot follow the present one. */
  become(next: ServiceState): boolean {
    const followers: ReadonlyArray<ServiceState["_tag"]> = transitions[this.#state._tag]
    if (!followers.includes(next._tag)) return false
    this.#state = next
    return true
  }

  get isManaged(): boolean {
    return this.settings.managed
  }

  get hasStopped(): boolean {
    return this.#state._tag === "Stopped"
  }

  /** `true` once its release has begun. */
  get isReleaseCalled(): boolean {
    const state = this.#state
    if (state._tag === "Stopped") return state.cleanup !== "uncalled"
    return state._tag === "Releasing" || state._tag === "Killing" || state._tag === "Overdue"
  }

  /** `true` until its acquire has ended, even if its release was called meanwhile. */
  get isAcquiring(): boolean {
    return this.node.isUnbuilt
  }

  /** `true` while something of it is still there: an acquire that hangs, a service that was not released, a cleanup. */
  get isRunning(): boolean {
    const state = this.#state
    switch (state._tag) {
      case "Starting":
      case "Running":
      case "Queued":
        return true
      case "Releasing":
      case "Killing":
      case "Overdue":
        return this.isAcquiring || isActive(state.cleanup)
      case "Stopped":
        return state.cleanup !== "uncalled" && (this.isAcquiring || isActive(state.cleanup))
    }
  }

  /** The limit of its release in milliseconds, while that is under way. */
  get releaseLimitMs(): number {
    return this.#state._tag === "Releasing" ? this.#state.limitMs : Infinity
  }

  /** Lets those go on that wait for its release, if that is settled. */
  wakeDependencies(): void {
    if (isSettled(this.#state)) this.#settled?.open()
  }

  /** Waits until nobody has to wait for its release any longer. */
  awaitSettled(): Effect.Effect<void> {
    return Effect.suspend(() => isSettled(this.#state) ? Effect.void : (this.#settled ??= new OneShotLatch()).await)
  }
}

/** Returns true while a cleanup is under way. */
export const isActive = (cleanup: Cleanup | string | undefined): boolean =>
  typeof cleanup === "object" && cleanup.pollUnsafe() === undefined
