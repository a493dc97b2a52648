import type { LiveJob } from "./liveJob.ts"

/**
 * Jobs that wait for room: those of a higher priority first; of one priority, those of the name of which the fewest run,
 * so that many jobs of one kind do not hold up the others; of those, the one that came first.
 */
export class JobQueue {
  readonly #jobs: Array<LiveJob> = []

  add(job: LiveJob): void {
    const { priority } = job.info
    const at = this.#jobs.findIndex(({ info }) => info.priority < priority)
    if (at < 0) this.#jobs.push(job)
    else this.#jobs.splice(at, 0, job)
  }

  /** `running` says how many of a name run. */
  take(running: (name: string) => number): LiveJob | undefined {
    const [first] = this.#jobs
    if (first === undefined) return undefined
    let best = first
    const seen = new Set<string>()
    for (const job of this.#jobs) {
      if (job.info.priority < first.info.priority) break
      const { job: name } = job.info
      if (seen.has(name)) continue
      seen.add(name)
      if (running(name) < running(best.info.job)) best = job
    }
    return this.remove(best.info.id)
  }

  /** Takes out one that is not to run any longer. */
  remove(id: string): LiveJob | undefined {
    const at = this.#jobs.findIndex(({ info }) => info.id === id)
    return at < 0 ? undefined : this.#jobs.splice(at, 1)[0]
  }
}
