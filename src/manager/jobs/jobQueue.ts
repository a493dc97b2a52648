import type { ActiveJob } from "./activeJob.ts"

/**
 * The jobs that wait for a slot. Jobs of a higher priority leave first. Among those of one priority, the first to leave
 * is a job of the name of which the fewest run, so that many jobs of one name do not hold up the others. Among those,
 * the job that came first leaves first.
 */
export class JobQueue {
  readonly #jobs: Array<ActiveJob> = []

  add(job: ActiveJob): void {
    // most jobs have the usual priority, and come last
    let index = this.#jobs.length
    while (index > 0 && (this.#jobs[index - 1]?.priority ?? job.priority) < job.priority) index--
    this.#jobs.splice(index, 0, job)
  }

  /** Removes and returns the next job. `running` returns how many jobs of a name run. */
  take(running: (name: string) => number): ActiveJob | undefined {
    const [first] = this.#jobs
    if (first === undefined) return undefined
    let best = first
    const seen = new Set<string>()
    for (const job of this.#jobs) {
      if (job.priority < first.priority) break
      if (seen.has(job.name)) continue
      seen.add(job.name)
      if (running(job.name) < running(best.name)) best = job
    }
    this.remove(best)
    return best
  }

  remove(job: ActiveJob): void {
    const index = this.#jobs.indexOf(job)
    if (index >= 0) this.#jobs.splice(index, 1)
  }
}
