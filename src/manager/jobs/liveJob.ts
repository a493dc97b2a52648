import type { JobEvent } from "../../JobEvent.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { StageReport } from "../../StopReport.ts"
import { EventProjection } from "../../jobProcess/eventProjection.ts"
import type { JobProcess } from "../JobProcess.ts"
import type { JobLog } from "./jobLog.ts"
import { JobInfo, type JobResult, type NumberedEvent, type StopCommand, type Submission } from "../models.ts"
import { RecentEvents } from "./recentEvents.ts"

/** The last moment that a date can tell. */
const latest = 8_640_000_000_000_000

/** A job that has not stopped: what is known of it right now, and who waits for news. */
export class LiveJob {
  readonly submission: Submission
  readonly log: JobLog
  info: JobInfo
  process: JobProcess | undefined
  stages: ReadonlyArray<StageReport> = []
  /** What happened and is on disk. */
  readonly events = new RecentEvents()
  /** What happened and is not on disk yet. */
  unsaved: Array<NumberedEvent> = []
  /** When it has failed and begun again so far, in milliseconds since 1970. Its manager being stopped is no failure. */
  readonly failures: Array<number> = []
  /** What its last attempt had told the manager before this one. */
  recalled: EventProjection | undefined
  /** Whether its info has changed since it was saved. */
  isDirty = false
  /** When its lease expires, in milliseconds since 1970. */
  leaseEnd = Infinity
  /** The stop that was asked for last: it does not begin again, and if its process is about to begin it hears of it. */
  asked: StopCommand | undefined
  /** Whether it waits for the time of its next attempt. */
  isWaiting = false
  /** Whether it, or an attempt of it, has ended, and what follows is not on disk yet. */
  isEnding = false
  /** Whether it is stopped since its manager is, and begins again with the next one. */
  isPaused = false
  /** Opens when it has stopped and its last word is on disk. */
  readonly finished = new OneShotLatch()
  /** Opens when that, or that it is in the queue again, is on disk. */
  rested = new OneShotLatch()
  result: JobResult | undefined
  /** Called when its info has changed. */
  onChange = (): void => {}
  #seq = 0
  #news = new OneShotLatch()

  constructor(info: JobInfo, submission: Submission, log: JobLog) {
    this.info = info
    this.submission = submission
    this.log = log
  }

  /** Opens at the next piece of news. */
  get news(): OneShotLatch {
    return this.#news
  }

  tell(): void {
    const news = this.#news
    this.#news = new OneShotLatch()
    news.open()
  }

  change(change: Partial<JobInfo>): void {
    this.info = new JobInfo({ ...this.info, ...change })
    this.isDirty = true
    this.onChange()
  }

  /** What it had told the manager before this one, in the order of that. */
  recall(told: NumberedEvent): void {
    const { event, seq } = told
    this.#seq = seq
    this.events.add([told])
    this.#countFailure(event)
    // each attempt has its own end
    if (event._tag === "JobRestarting") this.recalled = undefined
    else (this.recalled ??= this.projection()).apply(event)
  }

  /** An account of it in which nothing has happened yet. */
  projection(): EventProjection {
    const { id, job } = this.info
    return new EventProjection({ job, jobId: id, environment: "remote", startedAt: new Date().toISOString() })
  }

  /** Its process was started. */
  begin(startedAt: string, pid: number | undefined): void {
    const { restartsAt: _, ...info } = this.info
    this.info = new JobInfo(info)
    this.change({ state: "starting", startedAt, ...(pid === undefined ? {} : { pid }) })
  }

  /** What its process tells. That it has stopped is only so once its process has ended, and where it is the last attempt. */
  take(event: JobEvent): void {
    if (event._tag === "JobStopped") return
    this.#add(event)
    switch (event._tag) {
      case "RunStarted":
        if (this.info.state === "starting") this.change({ state: "running" })
        break
      case "StopRequested":
        this.change({
          state: "stopping",
          trigger: this.info.trigger ?? event.trigger,
          ...(event.reason === undefined || this.info.reason !== undefined ? {} : { reason: event.reason })
        })
        break
    }
  }

  /** It has stopped, for good. */
  stop(result: JobResult): void {
    const { clean, outcome, reason, stages, stoppedAt, trigger } = result.report
    this.#add({ _tag: "JobStopped", at: stoppedAt, outcome, clean })
    const { pid: _, restartsAt: __, ...info } = this.info
    this.info = new JobInfo({
      ...info,
      state: "stopped",
      stoppedAt,
      trigger,
      outcome,
      clean,
      ...(reason === undefined ? {} : { reason })
    })
    this.stages = stages
    this.result = result
  }

  /** It has stopped, and goes back into the queue. */
  again({ report: { clean, outcome, reason, trigger } }: JobResult, delayMs: number, at: string): void {
    const { id, job, priority, restarts = 0, submittedAt } = this.info
    const attempt = restarts + 1
    const because = reason === undefined ? {} : { reason }
    this.#add({ _tag: "JobRestarting", at, attempt, delayMs, trigger, outcome, clean, ...because })
    this.info = new JobInfo({
      id,
      job,
      priority,
      submittedAt,
      state: "queued",
      restarts: attempt,
      ...(delayMs === 0 ? {} : { restartsAt: new Date(Math.min(Date.parse(at) + delayMs, latest)).toISOString() })
    })
    this.isDirty = true
    this.isPaused = false
    this.asked = undefined
    this.process = undefined
    this.stages = []
    this.onChange()
  }

  #countFailure(event: JobEvent): void {
    if (event._tag === "JobRestarting" && event.trigger !== "stopped") this.failures.push(Date.parse(event.at))
  }

  #add(event: JobEvent): void {
    this.#countFailure(event)
    this.unsaved.push({ seq: ++this.#seq, event })
  }
}
