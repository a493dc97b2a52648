import type { StageReport } from "../StopReport.ts"
import type { Update } from "./runMeter.ts"

/** The counters of a job's pipelines as what was added since they were last read. */
export class StageMeter {
  readonly #job: string
  readonly #read = new Map<string, { readonly count: number; readonly dropped: number }>()

  constructor(job: string) {
    this.#job = job
  }

  apply(stages: ReadonlyArray<StageReport>): ReadonlyArray<Update> {
    return stages.flatMap(({ count, dropped = 0, kind, name }) => {
      const key = `${kind} ${name}`
      const before = this.#read.get(key) ?? { count: 0, dropped: 0 }
      this.#read.set(key, { count, dropped })
      const labels = { job_name: this.#job, stage: name, kind }
      return [
        ...added("autostop.stage.elements", before.count, count, labels),
        ...added("autostop.stage.dropped", before.dropped, dropped, labels)
      ]
    })
  }

  /** Counts from zero: the job begins another attempt. */
  restart(): void {
    this.#read.clear()
  }
}

const added = (metric: Update["metric"], before: number, now: number, labels: Update["labels"]) =>
  now > before ? [{ metric, value: now - before, labels }] : []
