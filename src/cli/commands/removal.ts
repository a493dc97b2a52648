/** The commands that remove the jobs of a manager. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { parseDuration } from "../../base/durationInput.ts"
import { plural } from "../../base/format.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { askManager } from "../remote/askManager.ts"
import { forEachJob } from "../remote/forEachJob.ts"
import { printLine } from "../views/output.ts"

export const deleteCommand = Command.make("delete", {
  ...remoteFlags,
  ids: jobId.pipe(Argument.atLeast(1)),
  force: Flag.Boolean("force").pipe(
    Flag.withDescription("Stop jobs that run, and remove them then"),
    Flag.withDefault(false)
  )
}, (input) =>
  askManager(input, (client) =>
    forEachJob(
      client,
      input.ids,
      (id) => client.jobs.remove({ params: { id }, query: { force: input.force ? "true" : "false" } }),
      () => Effect.void
    ))).pipe(Command.withDescription("Removes jobs with their events, logs and reports"))

export const cleanCommand = Command.make("clean", {
  ...remoteFlags,
  older: Flag.String("older").pipe(
    Flag.withDescription(
      "Remove jobs that stopped longer ago than this, such as 12h or 7d; 0 for all that have stopped"
    ),
    Flag.withMetavar("duration")
  )
}, (input) =>
  Effect.gen(function*() {
    const age = parseDuration(input.older)
    if (age === undefined || !Duration.isFinite(age)) {
      return yield* new Refusal({ message: `--older is "${input.older}"; expected a duration, such as "12h" or "7d"` })
    }
    yield* askManager(input, (client) =>
      Effect.gen(function*() {
        // no job is older than 1970, and no date as old as a duration may be
        const before = new Date(Math.max(0, (yield* Clock.currentTimeMillis) - Duration.toMillis(age))).toISOString()
        const cleaned = yield* client.jobs.clean({ payload: { before } })
        printLine(input.format === "json" ? JSON.stringify(cleaned) : `removed ${plural(cleaned.removed, "job")}`)
      }))
  })).pipe(Command.withDescription("Removes jobs that stopped some time ago"))
