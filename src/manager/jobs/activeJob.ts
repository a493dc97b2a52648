import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobEvent } from "../../JobEvent.ts"
import type { Usage } from "../../jobProcess/protocol.ts"
import type { StageReport } from "../../StopReport.ts"
import type { CallCounts } from "../../telemetry/callCounts.ts"
import type { SpanRecord, TraceContext } from "../../telemetry/spanRecord.ts"
import type { JobProcess } from "../JobProcess.ts"
import type { OutputLine } from "../outputLine.ts"
import {
  type JobHistory,
  JobInfo,
  type JobResult,
  type NumberedEvent,
  type StopCommand,
  type Submission
} from "../models.ts"
import type { JobLog } from "./jobLog.ts"
import { type Input, type JobState, type StateInfo, stateInfo, type StopRequest, transition } from "./jobState.ts"
import { RecentEvents } from "./recentEvents.ts"
import type { Unsaved } from "./unsaved.ts"
import { UsageHistory } from "./usageHistory.ts"

type Identity = Pick<JobInfo, "id" | "job" | "priority" | "submittedAt" | "traceparent">

/** The earlier attempts of a job, as its stored events describe them. */
export interface Past {
  /** The number of the last event. */
  readonly seq: number
  /** The times at which the job failed and was restarted, in milliseconds since 1970. */
  readonly failures: ReadonlyArray<number>
}

/** The listeners of a job. They are called as things happen, before those are on disk. */
export interface JobObserver {
  readonly event: (event: JobEvent) => void
  readonly stages: (stages: ReadonlyArray<StageReport>) => void
  /** Its attempt has a process since `at`, in ISO 8601. */
  readonly started: (at: string) => void
  /** It has called hosts of its services. */
  readonly calls: (counts: ReadonlyArray<CallCounts>) => void
  /** It has printed lines in an attempt, at a time in ISO 8601. */
  readonly output: (
    stream: "stdout" | "stderr",
    lines: ReadonlyArray<OutputLine>,
    at: string,
    attempt: number
  ) => void
  /** The code of its process has made spans. */
  readonly spans: (spans: ReadonlyArray<SpanRecord>) => void
  /** Returns the place of an attempt in its trace, if that is exported. */
  readonly trace: (attempt: number) => TraceContext | undefined
}

/** Observes nothing. */
const noObserver: JobObserver = {
  event: () => {},
  stages: () => {},
  started: () => {},
  calls: () => {},
  output: () => {},
  spans: () => {},
  trace: () => undefined
}

export interface ActiveJobOptions {
  readonly info: JobInfo
  readonly submission: Submission
  readonly state: JobState
  readonly past?: Past | undefined
  readonly log: (onWritten: () => void) => JobLog
  /** Called with the new info, each time it changes. The end of the job is announced once it is on disk. */
  readonly onChange: (info: JobInfo) => void
  /** Makes what follows it, once it has something to follow: there may be many jobs that wait. */
  readonly observe?: () => JobObserver
}

/** A job that has not stopped: its state, what is known of its attempt, and those who wait for news of it. */
export class ActiveJob {
  readonly submission: Submission
  readonly log: JobLog
  /** The latest events that are on disk. */
  readonly events: RecentEvents
  /** Opens when the job has stopped and its end is on disk. */
  readonly finished = new OneShotLatch()
  readonly #identity: Identity
  readonly #onChange: (info: JobInfo) => void
  readonly #observe: () => JobObserver
  #observer: JobObserver | undefined
  readonly #failures: Array<number>
  #stages: ReadonlyArray<StageReport> = []
  #history: UsageHistory | undefined
  #state: JobState
  #info: JobInfo
  #seq: number
  #news = new OneShotLatch()

  constructor(options: ActiveJobOptions) {
    const { info, log, observe = () => noObserver, onChange, past = { seq: 0, failures: [] }, state, submission } =
      options
    const { id, job, priority, submittedAt, traceparent } = info
    this.#identity = { id, job, priority, submittedAt, ...(traceparent === undefined ? {} : { traceparent }) }
    this.submission = submission
    this.log = log(() => this.announce())
    this.events = new RecentEvents(past.seq)
    this.#seq = past.seq
    this.#failures = [...past.failures]
    this.#state = state
    this.#info = this.#infoOf(stateInfo(state))
    this.#onChange = onChange
    this.#observe = observe
    this.finished.onOpen(() => onChange(this.#info))
  }

  get id(): string {
    return this.#identity.id
  }

  /** The name of the job. */
  get name(): string {
    return this.#identity.job
  }

  get priority(): number {
    return this.#identity.priority
  }

  get state(): JobState {
    return this.#state
  }

  get info(): JobInfo {
    return this.#info
  }

  get observer(): JobObserver {
    return this.#observer ??= this.#observe()
  }

  /** The counters of its pipelines. */
  get stages(): ReadonlyArray<StageReport> {
    return this.#stages
  }

  set stages(stages: ReadonlyArray<StageReport>) {
    this.#stages = stages
    this.observer.stages(stages)
  }

  /** Takes note of what its process uses, at a time in milliseconds since 1970. */
  used(usage: Usage, at: number): void {
    this.#history ??= new UsageHistory()
    this.#history.add(usage, this.#stages, at)
  }

  /** Returns what it has used and done after a time in ISO 8601. */
  history(after?: string): JobHistory | undefined {
    return this.#history?.after(after)
  }

  /**
   * The times at which it failed and was restarted, in milliseconds since 1970. A stop of its manager is no failure.
   */
  get failures(): ReadonlyArray<number> {
    return this.#failures
  }

  /** Opens at the next news: an event or a line is on disk, or the job has stopped. */
  get news(): OneShotLatch {
    return this.#news
  }

  announce(): void {
    const news = this.#news
    this.#news = new OneShotLatch()
    news.open()
  }

  /** Ends its wait for the next attempt. */
  due(): void {
    this.#apply({ _tag: "Due" })
  }

  /** Gives it a slot, because it has left the queue. */
  launch(): void {
    this.#apply({ _tag: "SlotFree" })
  }

  start(process: Pick<JobProcess, "pid" | "pidStart" | "stop">, startedAt: string): Unsaved {
    this.#apply({ _tag: "ProcessStarted", process, startedAt })
    this.observer.started(startedAt)
    return this.#changed([])
  }

  requestStop(request: StopRequest, notStarted: (command: StopCommand) => JobResult): void {
    this.#apply({ _tag: "StopRequested", request, notStarted })
  }

  /** Takes an event of its process. The manager emits `JobStopped` itself, after the last attempt and its result. */
  report(event: JobEvent): Unsaved | undefined {
    if (event._tag === "JobStopped") return undefined
    const events = [this.#numbered(event)]
    const before = this.#state
    this.#apply({ _tag: "Reported", event })
    return before === this.#state ? { _tag: "Events", events } : this.#changed(events)
  }

  /** Ends its attempt. */
  end(result: JobResult): void {
    this.#apply({ _tag: "Ended", result })
  }

  /** Prepares its restart, which has to be written to disk next. */
  restart({ report }: JobResult, { at, delayMs, restartsAt }: RestartTime): Unsaved {
    this.#apply({ _tag: "Restarted", ...(restartsAt === undefined ? {} : { restartsAt }) })
    const { clean, outcome, reason, trigger } = report
    const attempt = stateInfo(this.#state).restarts ?? 0
    const because = reason === undefined ? {} : { reason }
    if (countsAsFailure(trigger)) this.#failures.push(Date.parse(at))
    this.stages = []
    this.#history?.restart()
    return this.#changed([
      this.#numbered({ _tag: "JobRestarting", at, attempt, delayMs, trigger, outcome, clean, ...because })
    ])
  }

  /** Lets it wait for its next attempt, because its restart is on disk. */
  restartStored(now: number, notStarted: (command: StopCommand) => JobResult): void {
    this.#apply({ _tag: "RestartStored", now, notStarted })
  }

  /** Ends it for good. What it returns has to be written to disk next. */
  finish(result: JobResult): Unsaved {
    this.#apply({ _tag: "Finished" })
    const { clean, outcome, stages, stoppedAt } = result.report
    this.stages = stages
    const events = [this.#numbered({ _tag: "JobStopped", at: stoppedAt, outcome, clean })]
    this.#info = this.#infoOf(stateInfo(this.#state))
    return { _tag: "End", events, info: this.#info, result }
  }

  /** Takes note that what it has recorded up to now is on disk. */
  saved(unsaved: Unsaved): void {
    this.events.add(unsaved.events)
    if (unsaved._tag !== "End") return
    // its result may have been replaced by one that can be stored
    this.#info = unsaved.info
    this.finished.open()
  }

  #apply(input: Input): void {
    this.#state = transition(this.#state, input)
  }

  #changed(events: ReadonlyArray<NumberedEvent>): Unsaved {
    this.#info = this.#infoOf(stateInfo(this.#state))
    this.#onChange(this.#info)
    return { _tag: "Info", events, info: this.#info }
  }

  #infoOf(state: StateInfo): JobInfo {
    return new JobInfo({ ...this.#identity, ...state })
  }

  #numbered(event: JobEvent): NumberedEvent {
    this.observer.event(event)
    return { seq: ++this.#seq, event }
  }
}

export interface RestartTime {
  /** The present time, in ISO 8601. */
  readonly at: string
  readonly delayMs: number
  /** The time of the next attempt, if there is a delay. */
  readonly restartsAt?: string
}

/** Returns false for a job that was stopped with its manager. */
export const countsAsFailure = (trigger: string): boolean => trigger !== "stopped"
