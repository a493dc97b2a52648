/** The commands that show and stop the jobs of a manager. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { table } from "../../base/format.ts"
import { StopMode } from "../../JobEvent.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import { type JobInfo, JobState, maxReason, writePlace } from "../../manager/models.ts"
import { StopReport } from "../../StopReport.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { CommandContext } from "../commandContext.ts"
import { askManager } from "../remote/askManager.ts"
import { shortIds, withJob } from "../remote/shortIds.ts"
import { cleanness } from "../views/eventText.ts"
import { printLine } from "../views/output.ts"
import { showUntilStopped } from "../views/remoteProgress.ts"
import { printExit } from "../views/reportOutput.ts"

const rows = (infos: ReadonlyArray<JobInfo>): ReadonlyArray<ReadonlyArray<string>> => {
  const shortId = shortIds(infos)
  return infos.map((info) => [
    shortId(info.id),
    info.job,
    info.state,
    info.outcome ?? "",
    info.clean === undefined ? "" : cleanness(info.clean),
    info.submittedAt,
    info.stoppedAt ?? ""
  ])
}

const head = ["ID", "JOB", "STATE", "OUTCOME", "", "SUBMITTED", "STOPPED"]

const show = (format: "pretty" | "json", info: JobInfo): void =>
  printLine(
    format === "json"
      ? JSON.stringify(info)
      : table(Object.entries(info).map(([key, value]) => [key, String(value)])).join("\n")
  )

/** The number of jobs that the manager lists at once. */
const page = 1_000

/** Reads the latest jobs, page by page. */
const latest = (client: Client, limit: number, filter: { readonly state?: JobState; readonly job?: string }) =>
  Effect.gen(function*() {
    const jobs: Array<JobInfo> = []
    for (let wanted = limit; wanted > 0; wanted = limit - jobs.length) {
      const last = jobs.at(-1)
      const before = last === undefined ? {} : { before: writePlace(last) }
      const query = { ...filter, limit: Math.min(wanted, page), ...before }
      const some = yield* client.jobs.list({ query })
      jobs.push(...some)
      if (some.length < query.limit) break
    }
    return jobs
  })

export const listCommand = Command.make("list", {
  ...remoteFlags,
  state: Flag.Literals("state", JobState.literals).pipe(
    Flag.withDescription("List only jobs in this state"),
    Flag.optional
  ),
  job: Flag.String("job").pipe(Flag.withDescription("List only jobs of this name"), Flag.optional),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("The largest number of jobs to list (50)"),
    Flag.filter((limit) => limit > 0, () => "a number of at least 1"),
    Flag.withDefault(50)
  )
}, (input) =>
  askManager(input, (client) =>
    Effect.gen(function*() {
      const jobs = yield* latest(client, input.limit, {
        ...(Option.isSome(input.state) ? { state: input.state.value } : {}),
        ...(Option.isSome(input.job) ? { job: input.job.value } : {})
      })
      printLine(input.format === "json" ? JSON.stringify(jobs) : table([head, ...rows(jobs)]).join("\n"))
    }))).pipe(Command.withDescription("Lists the jobs of a manager, the latest first"))

export const statusCommand = Command.make(
  "status",
  { ...remoteFlags, id: jobId },
  (input) =>
    askManager(
      input,
      (client) =>
        withJob(client, input.id, (id) =>
          Effect.map(client.jobs.get({ params: { id } }), (info) =>
            show(input.format, info)))
    )
).pipe(
  Command.withDescription("Shows the state of a job")
)

export const stopCommand = Command.make("stop", {
  ...remoteFlags,
  id: jobId,
  mode: Flag.Literals("mode", StopMode.literals).pipe(
    Flag.withDescription("How to stop: drain runs all phases, cancel interrupts the run, kill waits for nothing"),
    Flag.withDefault("drain")
  ),
  reason: Flag.String("reason").pipe(
    Flag.withDescription("The reason, for the report"),
    Flag.filter((reason) => reason.length <= maxReason, () => `at most ${maxReason} characters`),
    Flag.optional
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait until the job has stopped, show how it stops, and exit with its exit code"),
    Flag.withDefault(false)
  )
}, (input) =>
  askManager(input, (client, url) =>
    withJob(client, input.id, (id) =>
      Effect.gen(function*() {
        const context = yield* CommandContext
        const info = yield* client.jobs.stop({
          params: { id },
          payload: { mode: input.mode, ...(Option.isSome(input.reason) ? { reason: input.reason.value } : {}) }
        })
        if (input.wait) context.exitCode = yield* showUntilStopped(client, url, id, input.format)
        else show(input.format, info)
      })))).pipe(Command.withDescription("Asks a job to stop, and returns at once, or waits until it has stopped"))

export const reportCommand = Command.make(
  "report",
  { ...remoteFlags, id: jobId },
  (input) =>
    askManager(
      input,
      (client) =>
        withJob(client, input.id, (id) =>
          Effect.map(client.jobs.report({ params: { id } }), (report) =>
            printLine(input.format === "json" ? JSON.stringify(report) : StopReport.render(report))))
    )
).pipe(
  Command.withDescription("Prints the report of a job that has stopped")
)

export const resultCommand = Command.make(
  "result",
  { ...remoteFlags, id: jobId },
  (input) =>
    askManager(input, (client) =>
      withJob(client, input.id, (id) =>
        Effect.gen(function*() {
          const context = yield* CommandContext
          const result = yield* client.jobs.result({ params: { id } })
          yield* printExit(result, input)
          context.exitCode = result.report.outcome === "succeeded" ? 0 : 1
        })))
).pipe(
  Command.withDescription("Prints the result of a job as JSON, or why it failed; exits with 0 if the job has succeeded")
)
