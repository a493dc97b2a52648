/** The command that submits a job again. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { idForm, JobId } from "../../manager/models.ts"
import { CommandContext } from "../commandContext.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { refusedIfLost } from "../remote/lostSubmit.ts"
import { withJob } from "../remote/shortIds.ts"
import { printSubmitted } from "../views/jobRows.ts"
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
      const context = yield* CommandContext
      // the id is made here, so that the job can be found even if the answer is lost
      const newId = Option.getOrElse(input.as, () => crypto.randomUUID())
      const info = yield* withJob(
        client,
        input.id,
        (id) => client.jobs.retry({ params: { id }, payload: { id: newId } })
      ).pipe(refusedIfLost(newId))
      if (input.wait) context.exitCode = yield* showUntilStopped(client, url, newId, input.format)
      else printSubmitted(input.format, info)
    }))).pipe(Command.withDescription("Submits a job that has stopped again, with its payload and its settings"))
