import type { JobEvent } from "../JobEvent.ts"
import type { Outcome, PhaseReport, ServiceOutcome, StageReport, Trigger } from "../StopReport.ts"

/** The job that the events belong to. Its name and times hold until the job has sent its own. */
export interface JobIdentity {
  readonly job: string
  readonly jobId: string
  readonly environment: string
  /** The time at which the job was started, in ISO 8601. */
  readonly startedAt: string
}

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
}

type PendingState = "starting" | "running" | "releasing"

export const isPending = (state: KnownService["state"]): state is PendingState =>
  state === "starting" || state === "running" || state === "releasing"

/** A job as its events describe it, for its parent, which reports on a job that can no longer report itself. */
export class EventProjection {
  readonly environment: string
  readonly services = new Map<string, KnownService>()
  /** The phases of the stop that have ended. */
  readonly phases: Array<PhaseReport> = []
  /** The phase that has begun and not ended. */
  phase: Extract<JobEvent, { readonly _tag: "PhaseStarted" }> | undefined
  /** The counters of its pipelines, as the job sent them last. */
  stages: ReadonlyArray<StageReport> = []
  submitted: { readonly jobId: string; readonly job: string; readonly at: string }
  /** The first request to stop. */
  request: { readonly trigger: Trigger; readonly reason?: string | undefined } | undefined
  outcome: Outcome | undefined
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
          dependsOn: []
        })
        break
      case "ServiceStarted":
        this.#move(event, {
          state: "running",
          initialized: true,
          startMs: event.startMs,
          dependsOn: event.dependsOn ?? []
        })
        break
      case "ServiceStartFailed":
        this.#move(event, { state: "start-failed", error: event.error })
        break
      case "ServiceFailed":
        this.#set(event.service, { error: event.error })
        break
      case "ServiceReleasing":
        this.#move(event, { state: "releasing", cleanupCalled: true })
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
        break
      case "PhaseStarted":
        this.phase = event
        break
      case "PhaseEnded":
        this.phase = undefined
        this.phases.push({ phase: event.phase, durationMs: event.durationMs, timedOut: event.timedOut })
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
