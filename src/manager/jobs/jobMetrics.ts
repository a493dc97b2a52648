/** The metrics of a manager's jobs, of their events. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { JobEvent } from "../../JobEvent.ts"
import { CallRecords } from "../../telemetry/callRecords.ts"
import { gauge, registerProcessMetrics } from "../../telemetry/processMetrics.ts"
import { prometheusText } from "../../telemetry/prometheusText.ts"
import { Recorder } from "../../telemetry/recorder.ts"
import { RunMeter, secondsBetween } from "../../telemetry/runMeter.ts"
import { StageMeter } from "../../telemetry/stageMeter.ts"
import type { JobInfo, JobState } from "../models.ts"
import type { JobObserver } from "./activeJob.ts"

/** Observes a job that an earlier manager may have had. */
export interface MeteredJob extends Pick<JobObserver, "calls" | "event" | "stages" | "started"> {
  /** Takes an event that was counted before. */
  readonly past: (event: JobEvent) => void
}

/** The metrics of one manager, in a registry of its own: a process may have several managers, and metrics of other things. */
export class JobMetrics {
  readonly context: Context.Context<never>
  readonly #recorder: Recorder
  /** Ends what is measured of the process. */
  readonly end: () => void

  constructor(queueDepth: () => number, registry: Metric.MetricRegistry = new Map()) {
    this.context = Context.make(Metric.MetricRegistry, registry)
    this.#recorder = new Recorder(this.context)
    this.end = registerProcessMetrics(this.context)
    gauge(this.context, "autostop.queue.depth", queueDepth)
    gauge(this.context, "autostop.uptime", () => process.uptime())
  }

  setStates(counts: Readonly<Record<JobState, number>>, isReady: boolean): void {
    for (const [state, n] of Object.entries(counts)) this.#recorder.set("autostop.jobs", n, { state })
    this.#recorder.set("autostop.ready", isReady ? 1 : 0)
  }

  /** Returns all of them in the text format of Prometheus. */
  text(counts: Readonly<Record<JobState, number>>, isReady: boolean): string {
    this.setStates(counts, isReady)
    return prometheusText(this.context)
  }

  observe({ job, startedAt, submittedAt }: JobInfo): MeteredJob {
    const recorder = this.#recorder
    const meter = new RunMeter(job, startedAt)
    const stages = new StageMeter(job)
    const calls = new CallRecords(recorder, job)
    let hasStarted = startedAt !== undefined
    return {
      past: (event) => void meter.apply(event),
      event: (event) => {
        if (event._tag === "JobRestarting" || event._tag === "JobStopped") {
          recorder.record(stages.restart())
          calls.end()
        }
        recorder.record(meter.apply(event))
      },
      calls: (counts) => calls.record(counts),
      stages: (counted) => recorder.record(stages.apply(counted)),
      started: (at) => {
        if (hasStarted) return
        hasStarted = true
        meter.started(at)
        const value = secondsBetween(submittedAt, at)
        recorder.record([{ metric: "autostop.job.queue.duration", value, labels: { job_name: job } }])
      }
    }
  }
}
