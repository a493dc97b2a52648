/** Which jobs of many are shown, and in which order. Pure, because ten thousand jobs are sorted ten times a second. */
import type { JobInfo, JobState, Outcome } from "../api/models.ts"

export interface JobFilter {
  readonly state?: JobState
  readonly outcome?: Outcome
  /** Only jobs that left something behind. */
  readonly unclean?: boolean
  /** A text in the id or the name; ASCII letters match in either case. */
  readonly text?: string
}

export const matches = ({ outcome, state, text = "", unclean = false }: JobFilter, info: JobInfo): boolean =>
  (state === undefined || info.state === state) &&
  (outcome === undefined || info.outcome === outcome) &&
  (!unclean || info.clean === false) &&
  (text === "" || folded(info.id).includes(folded(text)) || folded(info.job).includes(folded(text)))

const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Jobs that stop stand first, then those that run or wait, then the others. */
const ranks: Readonly<Record<JobState, number>> = { stopping: 0, starting: 1, running: 1, queued: 1, stopped: 2 }

export const compareJobs = (a: JobInfo, b: JobInfo): number => {
  const byRank = ranks[a.state] - ranks[b.state]
  if (byRank !== 0) return byRank
  if (a.submittedAt !== b.submittedAt) return a.submittedAt < b.submittedAt ? 1 : -1
  return a.id < b.id ? 1 : -1
}

export const listedJobs = (jobs: Iterable<JobInfo>, filter: JobFilter): ReadonlyArray<JobInfo> => {
  const listed: Array<JobInfo> = []
  for (const info of jobs) if (matches(filter, info)) listed.push(info)
  return listed.toSorted(compareJobs)
}

/** Returns the place of a job in the list of the manager, for the next page. */
export const placeOf = ({ id, submittedAt }: JobInfo): string => `${submittedAt}_${id}`
