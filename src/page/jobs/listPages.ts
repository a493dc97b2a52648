/** Reads the list of jobs page by page: the feed tells only of those that have not stopped. */
import { signal } from "@preact/signals"
import type { JobInfo } from "../api/models.ts"
import { getJson, messageOf, queryOf } from "../api/request.ts"
import { type JobFilter, placeOf } from "../state/jobList.ts"
import { takePage } from "../state/jobs.ts"

const pageSize = 200

export const conditionsOf = ({ outcome, state, text, unclean }: JobFilter) => ({
  state,
  outcome,
  clean: unclean === true ? false : undefined,
  text: text === "" ? undefined : text
})

/** The pages of one filter. */
export class ListPages {
  readonly filter: JobFilter
  readonly fault = signal<string | undefined>(undefined)
  readonly isComplete = signal(false)
  #before: string | undefined
  #isReading = false

  constructor(filter: JobFilter) {
    this.filter = filter
  }

  /** Reads the next page, unless one is being read or there is none. */
  async more(): Promise<void> {
    if (this.#isReading || this.isComplete.peek() || this.fault.peek() !== undefined) return
    this.#isReading = true
    try {
      const page = await getJson<ReadonlyArray<JobInfo>>(
        `jobs${queryOf({ ...conditionsOf(this.filter), before: this.#before, limit: pageSize })}`
      )
      takePage(page)
      const last = page.at(-1)
      if (last !== undefined) this.#before = placeOf(last)
      this.isComplete.value = page.length < pageSize
    } catch (error) {
      this.fault.value = messageOf(error)
    } finally {
      this.#isReading = false
    }
  }
}

/** Returns all jobs that meet the conditions, at most as many as a manager lets wait. */
export const readAll = async (filter: JobFilter, most = 10_000): Promise<ReadonlyArray<JobInfo>> => {
  const all: Array<JobInfo> = []
  for (let before: string | undefined; all.length < most;) {
    const page: ReadonlyArray<JobInfo> = await getJson(
      `jobs${queryOf({ ...conditionsOf(filter), before, limit: 1_000 })}`
    )
    all.push(...page)
    const last = page.at(-1)
    if (last === undefined || page.length < 1_000) break
    before = placeOf(last)
  }
  return all
}
