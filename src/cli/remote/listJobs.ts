/** Lists jobs at a manager, page by page. */
import * as Effect from "effect/Effect"
import type { Client } from "../../manager/client/apiClient.ts"
import { type JobInfo, type JobState, writePlace } from "../../manager/models.ts"
import type { Conditions } from "../flags/filterFlags.ts"

/** The number of jobs that the manager lists at once. */
const page = 1_000

/** Reads the latest jobs that meet the conditions. */
export const latestJobs = (client: Client, conditions: Conditions, limit: number) =>
  Effect.gen(function*() {
    const jobs: Array<JobInfo> = []
    for (let wanted = limit; wanted > 0; wanted = limit - jobs.length) {
      const last = jobs.at(-1)
      const before = last === undefined ? {} : { before: writePlace(last) }
      const query = { ...conditions, limit: Math.min(wanted, page), ...before }
      const some = yield* client.jobs.list({ query })
      jobs.push(...some)
      if (some.length < query.limit) break
    }
    return jobs
  })

/** A job that goes on meanwhile is in one of the states that are asked for later. */
const unstopped = ["queued", "starting", "running", "stopping"] as const satisfies ReadonlyArray<JobState>

/** Reads the jobs that meet the conditions and have not stopped. */
export const unstoppedJobs = (client: Client, conditions: Conditions) =>
  Effect.gen(function*() {
    const states = unstopped.filter((state) => conditions.state === undefined || conditions.state === state)
    const lists = yield* Effect.forEach(states, (state) => latestJobs(client, { ...conditions, state }, Infinity))
    return [...new Map(lists.flat().map((info) => [info.id, info])).values()].filter(({ state }) => state !== "stopped")
  })
