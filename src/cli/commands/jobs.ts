/** The commands that look at the jobs of a manager, and stop and remove them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseDuration } from "../../base/durationInput.ts"
import { plural, table } from "../../base/format.ts"
import { StopMode } from "../../JobEvent.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import { type JobInfo, JobState } from "../../manager/models.ts"
import { StopReport } from "../../StopReport.ts"
import { Refusal } from "../refusal.ts"
import { ask, jobId, remoteFlags, say, shortened } from "../flags/remoteFlags.ts"

const rows = (infos: ReadonlyArray<JobInfo>): ReadonlyArray<ReadonlyArray<string>> => {
  const shown = shortened(infos)
  return infos.map((info) => [
    shown(info.id),
    info.job,
    info.state,
    info.outcome ?? "",
    info.clean === undefined ? "" : info.clean ? "clean" : "NOT CLEAN",
    info.submittedAt,
    info.stoppedAt ?? ""
  ])
}

const head = ["ID", "JOB", "STATE", "OUTCOME", "", "SUBMITTED", "STOPPED"]

const show = (format: "pretty" | "json", info: JobInfo): void =>
  say(
    format === "json"
      ? JSON.stringify(info)
      : Object.entries(info).map(([key, value]) => `${key.padEnd(12)} ${value}`).join("\n")
  )

/** How many the manager gives at once. */
const page = 1_000

/** The latest jobs, page by page. */
const latest = (client: Client, limit: number, filter: { readonly state?: JobState; readonly job?: string }) =>
  Effect.gen(function*() {
    const jobs: Array<JobInfo> = []
    for (let wanted = limit; wanted > 0; wanted = limit - jobs.length) {
      const before = jobs.at(-1)?.id
      const query = { ...filter, limit: Math.min(wanted, page), ...(before === undefined ? {} : { before }) }
      const some = yield* client.jobs.list({ query })
      jobs.push(...some)
      if (some.length < query.limit) break
    }
    return jobs
  })

export const listCommand = Command.make("list", {
  ...remoteFlags,
  state: Flag.Literals("state", JobState.literals).pipe(
    Flag.withDescription("Only those in this state"),
    Flag.optional
  ),
  job: Flag.String("job").pipe(Flag.withDescription("Only those of this name"), Flag.optional),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("How many at most (50)"),
    Flag.filter((limit) => limit > 0, () => "a number of at least 1"),
    Flag.withDefault(50)
  )
}, (input) =>
  ask(input, (client) =>
    Effect.gen(function*() {
      const jobs = yield* latest(client, input.limit, {
        ...(Option.isSome(input.state) ? { state: input.state.value } : {}),
        ...(Option.isSome(input.job) ? { job: input.job.value } : {})
      })
      say(input.format === "json" ? JSON.stringify(jobs) : table([head, ...rows(jobs)]).join("\n"))
    }))).pipe(Command.withDescription("Lists the jobs of a manager, the latest first"))

export const statusCommand = Command.make(
  "status",
  { ...remoteFlags, id: jobId },
  (input) =>
    ask(
      input,
      (client) => Effect.map(client.jobs.get({ params: { id: input.id } }), (info) => show(input.format, info))
    )
).pipe(
  Command.withDescription("Says where a job stands")
)

export const stopCommand = Command.make("stop", {
  ...remoteFlags,
  id: jobId,
  mode: Flag.Literals("mode", StopMode.literals).pipe(
    Flag.withDescription("How: drain runs all phases, cancel interrupts the run, kill gives no time"),
    Flag.withDefault("drain")
  ),
  reason: Flag.String("reason").pipe(Flag.withDescription("Why, for the report"), Flag.optional)
}, (input) =>
  ask(input, (client) =>
    Effect.map(
      client.jobs.stop({
        params: { id: input.id },
        payload: { mode: input.mode, ...(Option.isSome(input.reason) ? { reason: input.reason.value } : {}) }
      }),
      (info) => show(input.format, info)
    ))).pipe(Command.withDescription("Asks a job to stop, and returns at once"))

export const reportCommand = Command.make(
  "report",
  { ...remoteFlags, id: jobId },
  (input) =>
    ask(
      input,
      (client) =>
        Effect.map(client.jobs.report({ params: { id: input.id } }), (report) =>
          say(input.format === "json" ? JSON.stringify(report) : StopReport.render(report)))
    )
).pipe(
  Command.withDescription("Prints the report of a job that has stopped")
)

export const deleteCommand = Command.make("delete", {
  ...remoteFlags,
  ids: jobId.pipe(Argument.atLeast(1)),
  force: Flag.Boolean("force").pipe(
    Flag.withDescription("Stop what runs first"),
    Flag.withDefault(false)
  )
}, (input) =>
  ask(input, (client) =>
    Effect.gen(function*() {
      const query = { force: input.force ? "true" : "false" } as const
      // one that cannot be removed keeps no other
      const results = yield* Effect.forEach(input.ids, (id) =>
        Effect.result(client.jobs.remove({ params: { id }, query })))
      const errors = results.flatMap((result) =>
        result._tag === "Failure" ? [result.failure] : []
      )
      const [error] = errors
      if (error === undefined) return
      const refused = errors.filter((error) => error._tag === "NotFound" || error._tag === "Conflict")
      return yield* refused.length < errors.length
        ? Effect.fail(error)
        : new Refusal({ message: refused.map(({ message }) => message).join("\n") })
    }))).pipe(Command.withDescription("Removes jobs and all that is kept of them"))

export const cleanCommand = Command.make("clean", {
  ...remoteFlags,
  older: Flag.String("older").pipe(
    Flag.withDescription("Those that stopped longer ago than this, such as 12h or 7d; 0 for all that have stopped"),
    Flag.withMetavar("duration")
  )
}, (input) =>
  Effect.gen(function*() {
    const age = parseDuration(input.older)
    if (age === undefined || !Duration.isFinite(age)) {
      return yield* new Refusal({ message: `--older is "${input.older}"; expected a duration, such as "12h" or "7d"` })
    }
    yield* ask(input, (client) =>
      Effect.gen(function*() {
        const before = yield* Effect.map(DateTime.now, DateTime.subtractDuration(age))
        const cleaned = yield* client.jobs.clean({ payload: { before: DateTime.formatIso(before) } })
        say(input.format === "json" ? JSON.stringify(cleaned) : `removed ${plural(cleaned.removed, "job")}`)
      }))
  })).pipe(Command.withDescription("Removes the jobs that stopped some time ago"))

export const infoCommand = Command.make(
  "info",
  remoteFlags,
  (input) =>
    ask(input, (client) =>
      Effect.map(client.system.info(), (info) =>
        say(
          input.format === "json"
            ? JSON.stringify(info)
            : [
              `version  ${info.version}`,
              `jobs     ${info.jobs.join(", ")}`,
              ...Object.entries(info.counts).map(([state, count]) => `${state.padEnd(8)} ${count}`)
            ].join("\n")
        )))
).pipe(Command.withDescription("Says what a manager can run, and how many jobs it has"))

export const healthCommand = Command.make(
  "health",
  remoteFlags,
  (input) =>
    ask(
      input,
      (client) => Effect.map(client.health.ready(), () => say(input.format === "json" ? "{\"ready\":true}" : "ready"))
    )
).pipe(
  Command.withDescription("Says whether a manager takes jobs")
)
