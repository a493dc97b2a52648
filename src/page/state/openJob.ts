/** The job that is open in this tab. */
import { signal } from "@preact/signals"
import { describeEvent } from "../../jobProcess/describeEvent.ts"
import type { EventProjection } from "../../jobProcess/eventProjection.ts"
import { LatestAttempt } from "../../jobProcess/latestAttempt.ts"
import type { JobEvent, JobInfo, LogLine, Result, StageReport } from "../api/models.ts"
import { getJson, jobPath, messageOf, queryOf } from "../api/request.ts"
import { heard } from "./clock.ts"
import { raising } from "./drawn.ts"
import { placeOf } from "./jobList.ts"
import { jobOf, takePage } from "./jobs.ts"
import { LogBuffer } from "./logBuffer.ts"
import { StageHistory } from "./rates.ts"

interface NumberedEvent {
  readonly seq: number
  readonly event: JobEvent
}

/** The end of the job, and the report of the last run of the same name before it. */
export interface JobEnd {
  readonly result?: Result
  readonly fault?: string
}

/** The events that are marked in the log, where they happened. */
const marked: ReadonlySet<JobEvent["_tag"]> = new Set([
  "StopRequested",
  "PhaseStarted",
  "ServiceOverdue",
  "HostKilled",
  "JobRestarting",
  "JobStopped"
])

export class OpenJob {
  readonly id: string
  readonly events: Array<NumberedEvent> = []
  readonly log = new LogBuffer()
  readonly stages = new StageHistory()
  readonly end = signal<JobEnd>({})
  readonly lastRun = signal<Result["report"] | undefined>(undefined)
  readonly isGone = signal(false)
  /** Changes with all that has no signal of its own. */
  readonly version = signal(0)
  readonly changed = raising(this.version)
  #attempt: LatestAttempt

  constructor(id: string) {
    this.id = id
    this.#attempt = new LatestAttempt({ job: id, jobId: id, environment: "", startedAt: "" })
    void this.refresh()
  }

  get info(): JobInfo | undefined {
    return jobOf(this.id)
  }

  get projection(): EventProjection {
    return this.#attempt.projection
  }

  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0
  }

  takeEvent(seq: number, event: JobEvent): void {
    if (seq <= this.lastSeq) return
    heard(event.at)
    this.events.push({ seq, event })
    this.#attempt.apply(event)
    if (marked.has(event._tag)) this.log.mark({ at: event.at, text: describeEvent(event) })
    if (event._tag === "StopRequested") void this.#readLastRun()
    this.changed()
  }

  takeLine(line: LogLine): void {
    this.log.add(line)
    this.changed()
  }

  takeStages(stages: ReadonlyArray<StageReport>): void {
    this.stages.add(stages, performance.now())
    this.changed()
  }

  takeInfo({ state }: JobInfo): void {
    if (state === "stopped" && this.end.peek().result === undefined) void this.#readEnd()
    this.changed()
  }

  /** Reads how the job stands: the feed tells only what changes. */
  async refresh(): Promise<void> {
    try {
      const info = await getJson<JobInfo>(jobPath(this.id))
      takePage([info])
      this.takeInfo(info)
      this.takeStages(await getJson(jobPath(this.id, "/stages")))
    } catch {
      // the feed says if there is no such job, and why nothing comes
    }
  }

  async #readEnd(): Promise<void> {
    try {
      const result = await getJson<Result>(jobPath(this.id, "/result"))
      this.end.value = { result }
      this.takeStages(result.report.stages)
    } catch (error) {
      this.end.value = { fault: messageOf(error) }
    }
    await this.#readLastRun()
  }

  /** Reads the report of the run of the same job before this one, to show it beside this one. */
  async #readLastRun(): Promise<void> {
    const { info } = this
    if (info === undefined || this.lastRun.peek() !== undefined) return
    try {
      const before = await getJson<ReadonlyArray<JobInfo>>(
        `jobs${queryOf({ job: info.job, state: "stopped", before: placeOf(info), limit: 1 })}`
      )
      const [last] = before
      if (last !== undefined) this.lastRun.value = await getJson(jobPath(last.id, "/report"))
    } catch {
      // without it there is nothing to compare with
    }
  }
}
