/** The command that waits for jobs at a manager. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseDuration } from "../../base/durationInput.ts"
import { CommandContext } from "../commandContext.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { withJob } from "../remote/shortIds.ts"
import { waitUntilStopped } from "../views/remoteWait.ts"

export const waitCommand = Command.make("wait", {
  ...remoteFlags,
  ids: jobId.pipe(Argument.atLeast(1)),
  timeout: Flag.String("timeout").pipe(
    Flag.withDescription("How long to wait, such as 30s or 1h; then the exit code is 124"),
    Flag.withMetavar("duration"),
    Flag.filter((text) => parseDuration(text) !== undefined, () => "a duration, such as \"30s\" or \"1h\""),
    Flag.optional
  )
}, (input) =>
  askManager(input, (client, url) =>
    Effect.gen(function*() {
      const { format, ids, timeout } = input
      const context = yield* CommandContext
      const limit = Option.isSome(timeout) ? parseDuration(timeout.value) : undefined
      // each is looked up first: nobody waits for an hour to read that another id is wrong
      const jobs = yield* Effect.forEach(
        ids,
        (given) => withJob(client, given, (id) => client.jobs.get({ params: { id } }))
      )
      const known = [...new Map(jobs.map((info) => [info.id, info])).values()]
      const limitMs = limit === undefined ? Infinity : Duration.toMillis(limit)
      context.exitCode = yield* waitUntilStopped(client, known, { url, format, limitMs })
    }))).pipe(
    Command.withDescription("Waits until jobs have stopped, and exits with the exit code of the worst of them")
  )
