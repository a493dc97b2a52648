import type { Usage } from "../../jobProcess/protocol.ts"
import type { StageReport } from "../../StopReport.ts"
import type { JobHistory, UsageSample } from "../models.ts"

/** The number of samples that are kept: a process sends one each 5 s, so that they are those of an hour. */
const mostSamples = 720
/** The number of stages that samples have numbers of. */
const mostStages = 100

/** Keeps what a job has used and done in its last hour. */
export class UsageHistory {
  #stages: JobHistory["stages"] = []
  #samples: Array<UsageSample> = []
  #before: { readonly at: number; readonly cpuMs: number } | undefined

  /** `at` is in milliseconds since 1970. */
  add({ cpuMs, loopDelayMs, memory }: Usage, stages: ReadonlyArray<StageReport>, at: number): void {
    const counted = stages.slice(0, mostStages)
    // those of one attempt only become more
    if (this.#stages.some(({ kind, name }, place) => counted[place]?.kind !== kind || counted[place].name !== name)) {
      this.#samples = []
    }
    this.#stages = counted.map(({ kind, name }) => ({ kind, name }))
    const before = this.#before
    this.#before = { at, cpuMs }
    // the first one of a process is what the next ones are measured from
    if (before === undefined || at <= before.at) return
    this.#samples.push({
      at: new Date(at).toISOString(),
      cpu: Math.max(0, cpuMs - before.cpuMs) / (at - before.at),
      memory,
      loopDelayMs,
      counts: counted.map(({ count }) => count),
      p95Ms: counted.map(({ p95Ms }) => p95Ms ?? null)
    })
    if (this.#samples.length > mostSamples) this.#samples.shift()
  }

  /** Another process begins from zero. */
  restart(): void {
    this.#before = undefined
  }

  /** Returns the samples after a time in ISO 8601. */
  after(at = ""): JobHistory {
    const first = this.#samples.findIndex((sample) => sample.at > at)
    return { stages: this.#stages, samples: first < 0 ? [] : this.#samples.slice(first) }
  }
}
