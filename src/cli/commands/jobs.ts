/** The commands that show the jobs of a manager. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { StopReport } from "../../StopReport.ts"
import { CommandContext } from "../commandContext.ts"
import { conditionsOf, filterFlags } from "../flags/filterFlags.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { latestJobs } from "../remote/listJobs.ts"
import { withJob } from "../remote/shortIds.ts"
import { jobTable, printInfo } from "../views/jobRows.ts"
import { printLine } from "../views/output.ts"
import { printExit } from "../views/reportOutput.ts"

export const listCommand = Command.make(
  "list",
  {
    ...remoteFlags,
    ...filterFlags,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("The largest number of jobs to list (50)"),
      Flag.filter((limit) => limit > 0, () => "a number of at least 1"),
      Flag.withDefault(50)
    )
  },
  (input) =>
    askManager(
      input,
      (client) =>
        Effect.map(latestJobs(client, conditionsOf(input), input.limit), (jobs) =>
          printLine(input.format === "json" ? JSON.stringify(jobs) : jobTable(jobs)))
    )
).pipe(
  Command.withDescription("Lists the jobs of a manager, the latest first")
)

export const statusCommand = Command.make(
  "status",
  { ...remoteFlags, id: jobId },
  (input) =>
    askManager(
      input,
      (client) =>
        withJob(client, input.id, (id) =>
          Effect.map(client.jobs.get({ params: { id } }), (info) =>
            printInfo(input.format, info)))
    )
).pipe(
  Command.withDescription("Shows the state of a job")
)

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
