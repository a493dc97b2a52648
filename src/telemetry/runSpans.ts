/** The spans of a job's events: a fold that knows no clock, no ids and no tracer. */
import type { JobEvent } from "../JobEvent.ts"
import { type OpenSpans, openSpans, type SpanStep, type StepOf } from "./spanSteps.ts"

/** A job whose spans have no attempts is one that runs here; a manager's job waits in a queue, and may be restarted. */
export interface SpannedJob {
  readonly job: string
  readonly id: string
  /** The time of its submit in milliseconds since 1970, if a manager has it. */
  readonly queuedAt?: number
}

/** The keys of spans that others have to know. */
export const jobKey = "job"
export const attemptKey = (attempt: number): string => `attempt ${attempt}`
export const runKey = (attempt: number): string => `run ${attempt}`

type Ended = Extract<JobEvent, { readonly _tag: "JobStopped" | "JobRestarting" }>

/** Makes spans of the events of one job, in their order. */
export class RunSpanFold {
  readonly #given: SpannedJob
  readonly #open: OpenSpans = openSpans()
  /** The number of the attempt that runs or comes next. */
  #attempt = 1
  /** The number of the last attempt that has begun. */
  #begun = 0
  /** The latest time that an event has said. */
  #at: number

  constructor(given: SpannedJob) {
    this.#given = given
    this.#at = given.queuedAt ?? 0
  }

  /** Returns the spans that begin with the job itself. */
  begin(at: number): ReadonlyArray<SpanStep> {
    const { id, job, queuedAt } = this.#given
    this.#at = at
    const opened = this.#open.open({
      key: jobKey,
      name: `job ${job}`,
      at,
      attributes: { "autostop.job.name": job, "autostop.job.id": id }
    })
    return queuedAt === undefined ? opened : [...opened, ...this.#queue(at)]
  }

  apply(event: JobEvent): ReadonlyArray<SpanStep> {
    const at = this.#timeOf(event.at)
    const open = this.#open
    switch (event._tag) {
      case "JobSubmitted":
        return this.#given.queuedAt === undefined ? [] : this.#beginAttempt(at)
      case "ServiceStarting":
        return open.open({
          key: `start ${event.service}`,
          parent: this.#whole,
          name: `start ${event.service}`,
          at,
          attributes: { "autostop.service": event.service }
        })
      case "ServiceStarted":
        return open.close(`start ${event.service}`, at)
      case "ServiceStartFailed":
        return open.close(`start ${event.service}`, at, event.error)
      case "RunStarted":
        return open.open({ key: this.#run, parent: this.#whole, name: "run", at })
      case "RunEnded":
        return open.close(this.#run, at, event.outcome === "failed" ? event.error ?? "it failed" : undefined)
      case "StopRequested":
        return open.open({
          key: "stop",
          parent: this.#whole,
          name: "stop",
          at,
          attributes: {
            "autostop.trigger": event.trigger,
            "autostop.mode": event.mode,
            ...(event.reason === undefined ? {} : { "autostop.reason": event.reason }),
            ...(event.deadlineMs === undefined ? {} : { "autostop.deadline": event.deadlineMs / 1_000 })
          }
        })
      case "PhaseStarted":
        return open.open({ key: "phase", parent: "stop", name: event.phase, at })
      case "PhaseEnded":
        return open.close("phase", at, event.timedOut ? "its limit has passed" : undefined)
      case "ServiceReleasing":
        return open.open({
          key: `release ${event.service}`,
          parent: open.has("phase") ? "phase" : open.has("stop") ? "stop" : this.#whole,
          name: `release ${event.service}`,
          at,
          attributes: { "autostop.service": event.service }
        })
      case "ServiceStopped":
        return open.close(
          `release ${event.service}`,
          at,
          event.outcome === "released"
            ? undefined
            : `${event.outcome}${event.error === undefined ? "" : `: ${event.error}`}`
        )
      case "JobRestarting":
        return this.#restart(event, at)
      case "JobStopped":
        return this.#end(event, at)
      default:
        return []
    }
  }

  /** Ends all that is open, because nothing more comes of this job. */
  cut(at = this.#at): ReadonlyArray<StepOf<"Close">> {
    return this.#open.closeAll(Math.max(at, this.#at), "it was cut off")
  }

  /** The span of all that belongs to one attempt. */
  get #whole(): string {
    return this.#given.queuedAt === undefined ? jobKey : attemptKey(this.#attempt)
  }

  get #run(): string {
    return runKey(this.#attempt)
  }

  #queue(at: number): ReadonlyArray<SpanStep> {
    return this.#open.open({ key: "queued", parent: jobKey, name: "queued", at })
  }

  #beginAttempt(at: number): ReadonlyArray<SpanStep> {
    // an attempt that has said nothing more was cut off
    const cut = this.#open.closeBut([jobKey, "queued"], at, "it was cut off")
    const queued = this.#open.close("queued", at)
    const [attempt, before] = [this.#attempt, this.#begun]
    this.#begun = attempt
    return [
      ...cut,
      ...queued,
      ...this.#open.open({
        key: attemptKey(attempt),
        parent: jobKey,
        name: "attempt",
        at,
        attributes: { "autostop.attempt": attempt },
        ...(before === 0 || before === attempt ? {} : { link: attemptKey(before) })
      })
    ]
  }

  #restart(event: Extract<JobEvent, { readonly _tag: "JobRestarting" }>, at: number): ReadonlyArray<SpanStep> {
    const ended = this.#endAttempt(event, at)
    this.#attempt = event.attempt + 1
    return [...ended, ...this.#queue(at)]
  }

  #endAttempt(ended: Ended, at: number): ReadonlyArray<SpanStep> {
    if (this.#given.queuedAt === undefined) return this.#open.closeBut([jobKey, "stop"], at, "it was cut off")
    const whole = this.#whole
    return [
      ...this.#open.closeBut([jobKey, "queued", whole, "stop"], at, "it was cut off"),
      ...this.#open.close("stop", at, faultOf(ended)),
      ...this.#open.close(whole, at, faultOf(ended), {
        "autostop.outcome": ended.outcome,
        "autostop.clean": ended.clean
      })
    ]
  }

  #end(stopped: Ended, at: number): ReadonlyArray<SpanStep> {
    const attributes = { "autostop.outcome": stopped.outcome, "autostop.clean": stopped.clean }
    return [
      ...this.#endAttempt(stopped, at),
      ...this.#open.close("stop", at, faultOf(stopped)),
      ...this.#open.close("queued", at),
      ...this.#open.close(jobKey, at, faultOf(stopped), { ...attributes, ...this.#open.missing })
    ]
  }

  /** Times do not go back, and a time that is none is the latest one. */
  #timeOf(text: string): number {
    const ms = Date.parse(text)
    this.#at = Number.isNaN(ms) ? this.#at : Math.max(this.#at, ms)
    return this.#at
  }
}

const faultOf = ({ clean, outcome }: Ended): string | undefined =>
  !clean ? "it did not stop clean" : outcome === "failed" ? "it failed" : undefined
