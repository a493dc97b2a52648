/** The numbers of a job's events: a fold that knows no clock and no metrics of Effect. */
import type { JobEvent } from "../JobEvent.ts"
import type { Labels, MetricName } from "./instruments.ts"

/** A value for one series. */
export interface Update {
  readonly metric: MetricName
  readonly value: number
  readonly labels: Labels
  /** The number of equal values, for a histogram that always gets several at once. */
  readonly times?: number
}

type StopRequested = Extract<JobEvent, { readonly _tag: "StopRequested" }>
type Ended = Extract<JobEvent, { readonly _tag: "JobStopped" | "JobRestarting" }>

/** The stop of an attempt: what asked for it first, and the harshest mode that was asked for. */
interface Asked {
  readonly first: StopRequested
  readonly mode: StopRequested["mode"]
}

const none: ReadonlyArray<Update> = []

/** The events of one job, in their order, as values of its metrics. */
export class RunMeter {
  readonly #job: string
  /** The time of its start, in ISO 8601; `undefined` until it has begun. */
  #startedAt: string | undefined
  #asked: Asked | undefined
  /** The hosts of its services, as far as they live outside of its process. */
  readonly #hosts = new Map<string, string>()

  constructor(job: string, startedAt?: string) {
    this.#job = job
    this.#startedAt = startedAt
  }

  /** The job has begun, in ISO 8601. Its first event comes later if it has a process of its own. */
  started(at: string): void {
    this.#startedAt ??= at
  }

  apply(event: JobEvent): ReadonlyArray<Update> {
    const job = this.#job
    switch (event._tag) {
      case "JobSubmitted":
        this.started(event.at)
        return none
      case "ServiceStarted":
        if (event.host !== undefined) this.#hosts.set(event.service, event.host)
        return [{
          metric: "autostop.service.start.duration",
          value: seconds(event.startMs),
          labels: { job_name: job, service: serviceLabel(event.service) }
        }]
      case "ServiceStopped":
        if (event.outcome === "start-failed") return none
        return [{
          metric: "autostop.service.release.duration",
          value: seconds(event.releaseMs),
          labels: { job_name: job, service: serviceLabel(event.service), outcome: event.outcome }
        }]
      case "HostRestarting":
        return [this.#ofHost("autostop.host.restarts", event.service)]
      case "HostKilled":
        return [this.#ofHost("autostop.host.kills", event.service)]
      case "StopRequested":
        this.#asked = { first: this.#asked?.first ?? event, mode: event.mode }
        return none
      case "PhaseEnded":
        return [{
          metric: "autostop.stop.phase.duration",
          value: seconds(event.durationMs),
          labels: { job_name: job, phase: event.phase, timed_out: String(event.timedOut) }
        }]
      case "JobRestarting":
        return [...this.#stopped(event), { metric: "autostop.job.restarts", value: 1, labels: { job_name: job } }]
      case "JobStopped":
        return [...this.#stopped(event), {
          metric: "autostop.job.duration",
          value: secondsBetween(this.#startedAt ?? event.at, event.at),
          labels: { job_name: job, outcome: event.outcome, clean: String(event.clean) }
        }]
      default:
        return none
    }
  }

  #ofHost(metric: "autostop.host.restarts" | "autostop.host.kills", service: string): Update {
    const host = this.#hosts.get(service) ?? "unknown"
    return { metric, value: 1, labels: { job_name: this.#job, service: serviceLabel(service), host } }
  }

  #stopped({ at, clean }: Ended): ReadonlyArray<Update> {
    const asked = this.#asked
    this.#asked = undefined
    this.#hosts.clear()
    if (asked === undefined) return none
    const { first: { at: from, deadlineMs, trigger }, mode } = asked
    const took = secondsBetween(from, at)
    const duration: Update = {
      metric: "autostop.stop.duration",
      value: took,
      labels: { job_name: this.#job, trigger, mode, clean: String(clean) }
    }
    return deadlineMs === undefined || !(deadlineMs > 0)
      ? [duration]
      : [duration, {
        metric: "autostop.stop.deadline.used",
        value: took / seconds(deadlineMs),
        labels: { job_name: this.#job }
      }]
  }
}

/** Returns the name of a service without the numbers of the replicas that it lives in. */
export const serviceLabel = (name: string): string => name.replace(/\[\d+\](?=\/)/g, "")

/** Times and durations are what the job says: no value is negative, and one that is no number is zero. */
const seconds = (ms: number): number => Math.max(0, ms || 0) / 1_000

/** The seconds between two times in ISO 8601. */
export const secondsBetween = (from: string, to: string): number => seconds(Date.parse(to) - Date.parse(from))
