/** The command that submits a job again. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { printable } from "../../base/format.ts"
import { idForm, JobId } from "../../manager/models.ts"
import { CommandContext } from "../commandContext.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { askManager } from "../remote/askManager.ts"
import { withJob } from "../remote/shortIds.ts"
import { printLine } from "../views/output.ts"
import { showUntilStopped } from "../views/remoteProgress.ts"

export const retryCommand = Command.make("retry", {
  ...remoteFlags,
  id: jobId,
  as: Flag.String("as").pipe(
    Flag.withDescription("The id of the new job: a retry that is sent again with its id is the same job"),
    Flag.filter(Schema.is(JobId), () => idForm),
    Flag.optional
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait until the new job has stopped, show what happens, and exit with its exit code"),
    Flag.withDefault(false)
  )
}, (input) =>
  askManager(input, (client, url) =>
    Effect.gen(function*() {
      const { obstacle } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
      const context = yield* CommandContext
      // the id is made here, so that the job can be found even if the answer is lost
      const newId = Option.getOrElse(input.as, () => crypto.randomUUID())
      const unknown = `job ${newId} may have been submitted or not; run "autostop status ${newId}" to find out`
      const info = yield* withJob(
        client,
        input.id,
        (id) => client.jobs.retry({ params: { id }, payload: { id: newId } })
      ).pipe(
        Effect.mapError((error) =>
          obstacle(error) === "lost" ? new Refusal({ message: `the connection was lost: ${unknown}` }) : error
        )
      )
      if (input.wait) context.exitCode = yield* showUntilStopped(client, url, newId, input.format)
      else if (input.format === "json") printLine(JSON.stringify(info))
      else printLine(process.stdout.isTTY ? `${info.id}  ${printable(info.job)} is ${info.state}` : info.id)
    }))).pipe(Command.withDescription("Submits a job that has stopped again, with its payload and its settings"))
