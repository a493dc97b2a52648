import type { JobEvent } from "../JobEvent.ts"
import type { Outcome, StageReport } from "../StopReport.ts"
import { type EndedPhase, isPending, type KnownService, limitOf, type ServiceHost } from "./knownParts.ts"

type StopRequested = Extract<JobEvent, { readonly _tag: "StopRequested" }>

/** The job that the events belong to. Its name and times hold until the job has sent its own. */
export interface JobIdentity {
  readonly job: string
  readonly jobId: string
  readonly environment: string
  /** The time at which the job was started, in ISO 8601. */
  readonly startedAt: string
}

/** A job as its events describe it, for its parent, which reports on a job that can no longer report itself. */
export class EventProjection {
  readonly environment: string
  readonly services = new Map<string, KnownService>()
  /** The phases of the stop that have ended. */
  readonly phases: Array<EndedPhase> = []
  /** The phase that has begun and not ended. */
  phase: Extract<JobEvent, { readonly _tag: "PhaseStarted" }> | undefined
  /** The counters of its pipelines, as the job sent them last. */
  stages: ReadonlyArray<StageReport> = []
  submitted: { readonly jobId: string; readonly job: string; readonly at: string }
  /** The first request to stop. */
  request: StopRequested | undefined
  /** The latest request to stop, which may be a harsher one. */
  latestRequest: StopRequested | undefined
  outcome: Outcome | undefined
  /** The time at which the job stopped, in ISO 8601. */
  stoppedAt: string | undefined
  /** The process ids of the hosts that are up, by service and replica. */
  readonly #hosts = new Map<string, number>()
  readonly #serviceHosts = new Map<string, ServiceHost>()

  constructor({ environment, job, jobId, startedAt }: JobIdentity) {
    this.environment = environment
    this.submitted = { jobId, job, at: startedAt }
  }

  /** The ids of the hosts that are up, as the job says them. */
  get hostPids(): ReadonlyArray<number> {
    return [...this.#hosts.values()]
  }

  /** The services that have not ended. */
  get pending(): ReadonlyArray<{ readonly name: string; readonly state: string }> {
    return [...this.services].flatMap(([name, { state }]) => isPending(state) ? [{ name, state }] : [])
  }

  /**
   * Returns the host of a service. A service within the host of another one is named after that one, and has its host.
   */
  hostOf(name: string): ServiceHost | undefined {
    for (const [service, host] of this.#serviceHosts) {
      if (name === service || name.startsWith(`${service}/`) || name.startsWith(`${service}[`)) return host
    }
    return undefined
  }

  apply(event: JobEvent): void {
    switch (event._tag) {
      case "JobSubmitted":
        this.submitted = event
        break
      case "ServiceStarting":
        this.services.set(event.service, {
          state: "starting",
          at: event.at,
          managed: event.managed ?? true,
          initialized: false,
          cleanupCalled: false,
          startMs: 0,
          releaseMs: 0,
          dependsOn: [],
          isOverdue: false
        })
        break
      case "ServiceStarted":
        this.#move(event, {
          state: "running",
          initialized: true,
          startMs: event.startMs,
          dependsOn: event.dependsOn ?? [],
          ...(event.host === undefined ? {} : { host: event.host })
        })
        break
      case "ServiceStartFailed":
        this.#move(event, { state: "start-failed", error: event.error })
        break
      case "ServiceFailed":
        this.#set(event.service, { error: event.error })
        break
      case "ServiceReleasing":
        this.#move(event, { state: "releasing", cleanupCalled: true, ...limitOf(event) })
        break
      case "ServiceOverdue":
        this.#set(event.service, { isOverdue: true })
        break
      case "ServiceStopped":
        this.#move(event, {
          state: event.outcome,
          releaseMs: event.releaseMs,
          ...(event.error === undefined ? {} : { error: event.error })
        })
        if (event.outcome !== "abandoned") this.#endHosts(event.service)
        break
      case "HostStarted":
        this.#serviceHosts.set(
          event.service,
          event.pid === undefined ? { host: "thread" } : { host: "process", pid: event.pid }
        )
        if (event.pid !== undefined) this.#hosts.set(replicaOf(event), event.pid)
        break
      case "HostLost":
      case "HostKilled":
        this.#hosts.delete(replicaOf(event))
        this.#endWithin(event)
        break
      case "RunEnded":
        this.outcome = event.outcome
        break
      case "StopRequested":
        this.request ??= event
        this.latestRequest = event
        break
      case "PhaseStarted":
        this.phase = event
        break
      case "PhaseEnded":
        this.phases.push({
          phase: event.phase,
          durationMs: event.durationMs,
          timedOut: event.timedOut,
          ...(this.phase?.phase === event.phase ? limitOf(this.phase) : {})
        })
        this.phase = undefined
        break
      case "JobStopped":
        this.stoppedAt = event.at
        break
    }
  }

  #move(event: { readonly service: string; readonly at: string }, change: Partial<KnownService>): void {
    this.#set(event.service, { ...change, at: event.at })
  }

  #set(name: string, change: Partial<KnownService>): void {
    const service = this.services.get(name)
    if (service !== undefined) this.services.set(name, { ...service, ...change })
  }

  #endHosts(service: string): void {
    for (const replica of this.#hosts.keys()) {
      if (replica.startsWith(`${service}[`)) this.#hosts.delete(replica)
    }
  }

  /** The services within a host end with it. */
  #endWithin(host: { readonly service: string; readonly replica: number }): void {
    for (const [name, { initialized, state }] of this.services) {
      const isWithin = name.startsWith(`${host.service}/`) || name.startsWith(`${replicaOf(host)}/`)
      if (isWithin && isPending(state)) this.#set(name, { state: initialized ? "killed" : "start-failed" })
    }
  }
}

const replicaOf = ({ replica, service }: { readonly service: string; readonly replica: number }): string =>
  `${service}[${replica}]`
