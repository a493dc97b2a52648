import type { StoredJob } from "./JobStore.ts"

/** Jobs that wait for room: those of a higher priority first, then those that came first. */
export class JobQueue {
  readonly #jobs: Array<StoredJob> = []

  add(job: StoredJob): void {
    const { priority } = job.info
    const at = this.#jobs.findIndex(({ info }) => info.priority < priority)
    if (at < 0) this.#jobs.push(job)
    else this.#jobs.splice(at, 0, job)
  }

  take(): StoredJob | undefined {
    return this.#jobs.shift()
  }

  /** Takes out one that is not to run any longer. */
  remove(id: string): StoredJob | undefined {
    const at = this.#jobs.findIndex(({ info }) => info.id === id)
    return at < 0 ? undefined : this.#jobs.splice(at, 1)[0]
  }
}
