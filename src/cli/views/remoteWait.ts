/** Waits for jobs at a manager. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { plural } from "../../base/format.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { JobInfo } from "../../manager/models.ts"
import { exitCode } from "../../process/exitCode.ts"
import { ConnectionNotice } from "../remote/connectionNotice.ts"
import { awaitStopped } from "../remote/followJob.ts"
import { printJobLine } from "./jobRows.ts"
import { sayLine } from "./output.ts"

/** The number of jobs that are waited for at once: each has a connection, and all have to stop. */
const connections = 64

export interface WaitOptions {
  readonly url: string
  readonly format: "pretty" | "json"
  /** The limit of the wait, in milliseconds. */
  readonly limitMs: number
}

/** Prints a line for each job once it has stopped. Returns the exit code: that of the worst of them. */
export const waitUntilStopped = (
  client: Client,
  jobs: ReadonlyArray<JobInfo>,
  { format, limitMs, url }: WaitOptions
) =>
  Effect.gen(function*() {
    const stopped = new Map<string, JobInfo>()
    const ended = (info: JobInfo): void => {
      stopped.set(info.id, info)
      printJobLine(format, info)
    }
    for (const info of jobs) if (info.state === "stopped") ended(info)
    const notice = new ConnectionNotice(url)
    const { retryTransient } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    const waiting = Effect.forEach(jobs.filter(({ id }) => !stopped.has(id)), ({ id }) =>
      Effect.gen(function*() {
        yield* awaitStopped(client, id, notice)
        ended(yield* retryTransient(client.jobs.get({ params: { id } })))
      }), { concurrency: connections, discard: true })
    const isTimedOut = Option.isNone(yield* Effect.timeoutOption(waiting, limitMs)) && stopped.size < jobs.length
    if (isTimedOut) {
      const others = jobs.filter(({ id }) => !stopped.has(id)).map(({ id }) => id)
      sayLine(`autostop: ${plural(others.length, "job")} did not stop in time: ${others.join(", ")}`)
    }
    const ends = [...stopped.values()]
    return exitCode({
      isClean: ends.every(({ clean }) => clean !== false),
      isTimedOut,
      own: ends.every(({ outcome }) => outcome === "succeeded") ? 0 : 1
    })
  })
