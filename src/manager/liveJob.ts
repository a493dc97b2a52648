import type { JobEvent } from "../JobEvent.ts"
import { Notice } from "../internal/notice.ts"
import type { StageReport } from "../StopReport.ts"
import type { JobProcess } from "./JobProcess.ts"
import type { JobLog } from "./jobLog.ts"
import { JobInfo, type JobResult, type NumberedEvent, type Submission } from "./models.ts"

/** A job that has not stopped: what is known of it right now, and who waits for news. */
export class LiveJob {
  readonly submission: Submission
  readonly log: JobLog
  info: JobInfo
  process: JobProcess | undefined
  stages: ReadonlyArray<StageReport> = []
  /** What happened and is on disk. */
  readonly events: Array<NumberedEvent> = []
  /** What happened and is not on disk yet. */
  unsaved: Array<NumberedEvent> = []
  /** Whether its info has changed since it was saved. */
  isDirty = false
  /** When its lease expires, in milliseconds since 1970. */
  leaseEnd = Infinity
  /** Opens when it has stopped and its last word is on disk. */
  readonly finished = new Notice()
  result: JobResult | undefined
  #seq: number
  #news = new Notice()

  constructor(info: JobInfo, submission: Submission, log: JobLog, known: ReadonlyArray<NumberedEvent> = []) {
    this.info = info
    this.submission = submission
    this.log = log
    this.events.push(...known)
    this.#seq = known.at(-1)?.seq ?? 0
  }

  /** Opens at the next piece of news. */
  get news(): Notice {
    return this.#news
  }

  tell(): void {
    const news = this.#news
    this.#news = new Notice()
    news.open()
  }

  change(change: Partial<JobInfo>): void {
    this.info = new JobInfo({ ...this.info, ...change })
    this.isDirty = true
  }

  take(event: JobEvent): void {
    this.unsaved.push({ seq: ++this.#seq, event })
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
}
