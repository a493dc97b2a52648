/** What operators may rely on when all that was asked of job managers is over. */
import { assert } from "@effect/vitest"
import type { StopReport } from "../../src/index.ts"
import type { JobInfo, NumberedEvent } from "../../src/manager/models.ts"

/** A job, as a manager describes it after all. */
export interface EndedJob {
  readonly info: JobInfo
  readonly report: StopReport
  readonly events: ReadonlyArray<NumberedEvent>
}

/** Each submit that was answered has its job, and each job has ended once, in one outcome, with one report. */
export const assertEnded = (jobs: ReadonlyArray<EndedJob>, answered: Iterable<string>): void => {
  for (const id of answered) assert.isTrue(jobs.some(({ info }) => info.id === id), `${id} is lost`)
  assert.strictEqual(new Set(jobs.map(({ info }) => info.id)).size, jobs.length, "a job is listed twice")
  for (const job of jobs) assertEndedOnce(job)
}

const assertEndedOnce = ({ events, info, report }: EndedJob): void => {
  const { id, outcome, state, stoppedAt } = info
  assert.strictEqual(state, "stopped", `${id} shows as ${state}`)
  assert.isDefined(stoppedAt, id)
  assert.isDefined(outcome, id)
  assert.strictEqual(report.jobId, id)
  assert.strictEqual(report.outcome, outcome, id)
  assertWhole(events, id)
  assert.strictEqual(events.filter(({ event }) => event._tag === "JobStopped").length, 1, `${id} has not ended once`)
  const last = events.at(-1)?.event
  assert.deepStrictEqual(last?._tag === "JobStopped" ? last.outcome : last?._tag, outcome, id)
}

/** No event is missing, and none is there twice. */
export const assertWhole = (events: ReadonlyArray<NumberedEvent>, what = "the events"): void =>
  assert.deepStrictEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1), what)
