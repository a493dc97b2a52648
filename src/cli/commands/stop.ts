/** The command that stops jobs at a manager. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { plural } from "../../base/format.ts"
import { StopMode } from "../../JobEvent.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import { type JobInfo, maxReason } from "../../manager/models.ts"
import { CommandContext } from "../commandContext.ts"
import { conditionsOf, filterFlags, type FilterInput, filterNames } from "../flags/filterFlags.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { askManager } from "../remote/askManager.ts"
import { forEachJob } from "../remote/forEachJob.ts"
import { unstoppedJobs } from "../remote/listJobs.ts"
import { printInfo, printJobLine } from "../views/jobRows.ts"
import { showUntilStopped } from "../views/remoteProgress.ts"
import { waitUntilStopped } from "../views/remoteWait.ts"

export const stopCommand = Command.make("stop", {
  ...remoteFlags,
  ...filterFlags,
  ids: jobId.pipe(Argument.atLeast(0)),
  mode: Flag.Literals("mode", StopMode.literals).pipe(
    Flag.withDescription("How to stop: drain runs all phases, cancel interrupts the run, kill waits for nothing"),
    Flag.withDefault("drain")
  ),
  reason: Flag.String("reason").pipe(
    Flag.withDescription("The reason, for the report"),
    Flag.filter((reason) => reason.length <= maxReason, () => `at most ${maxReason} characters`),
    Flag.optional
  ),
  yes: Flag.Boolean("yes").pipe(
    Flag.withDescription("Stop the jobs that a filter finds, also if they are more than one"),
    Flag.withDefault(false)
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait until they have stopped, show how one stops, and exit with its exit code"),
    Flag.withDefault(false)
  )
}, (input) =>
  askManager(input, (client, url) =>
    Effect.gen(function*() {
      const { format, mode, reason, wait } = input
      const context = yield* CommandContext
      const ids = yield* idsOf(client, input)
      const payload = { mode, ...(Option.isSome(reason) ? { reason: reason.value } : {}) }
      // with one id, what is printed is what was printed before there could be several
      const isOne = input.ids.length === 1
      const finish = (infos: ReadonlyArray<JobInfo>) =>
        Effect.gen(function*() {
          const [info] = infos
          if (info === undefined) return
          if (!wait) { for (const info of infos) (isOne ? printInfo : printJobLine)(format, info) }
          else if (isOne) context.exitCode = yield* showUntilStopped(client, url, info.id, format)
          else context.exitCode = yield* waitUntilStopped(client, infos, { url, format, limitMs: Infinity })
        })
      yield* forEachJob(client, ids, (id) => client.jobs.stop({ params: { id }, payload }), finish)
    }))).pipe(Command.withDescription("Asks jobs to stop, and returns at once, or waits until they have stopped"))

/** Returns the ids that were given, or those of the jobs that the filter finds. */
const idsOf = Effect.fnUntraced(function*(
  client: Client,
  input: FilterInput & { readonly ids: ReadonlyArray<string>; readonly yes: boolean }
) {
  const conditions = conditionsOf(input)
  const hasFilter = Object.keys(conditions).length > 0
  if (hasFilter === input.ids.length > 0) {
    const form = `the ids of jobs, or a filter (${filterNames})`
    return yield* new Refusal({
      message: hasFilter ? `ids and a filter were given; expected ${form}, not both` : `expected ${form}`
    })
  }
  if (!hasFilter) return input.ids
  const found = yield* unstoppedJobs(client, conditions)
  if (found.length > 1 && !input.yes) {
    return yield* new Refusal({
      message: `${plural(found.length, "job")} would be stopped; --yes stops them, and "autostop list" shows them`
    })
  }
  return found.map(({ id }) => id)
})
