/** The commands that look at the jobs of a manager, and stop and remove them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { FeedEvent } from "../manager/follow.ts"
import { type JobInfo, JobState } from "../manager/models.ts"
import { StopMode } from "../JobEvent.ts"
import { StopReport } from "../StopReport.ts"
import { describe } from "./progress.ts"
import { ask, remoteFlags, say, table } from "./remote.ts"

const id = Argument.String("id").pipe(Argument.withDescription("The id of a job, or the beginning of one"))
const follow = Flag.Boolean("follow").pipe(
  Flag.withAlias("f"),
  Flag.withDescription("Go on until the job has stopped"),
  Flag.withDefault(false)
)

const shortest = 8

const row = (info: JobInfo): ReadonlyArray<string> => [
  info.id.slice(0, Math.max(shortest, info.id.includes("-") ? shortest : info.id.length)),
  info.job,
  info.state,
  info.outcome ?? "",
  info.clean === undefined ? "" : info.clean ? "clean" : "NOT CLEAN",
  info.submittedAt,
  info.stoppedAt ?? ""
]

const head = ["ID", "JOB", "STATE", "OUTCOME", "", "SUBMITTED", "STOPPED"]

const show = (format: "pretty" | "json", info: JobInfo): void =>
  say(
    format === "json"
      ? JSON.stringify(info)
      : Object.entries(info).map(([key, value]) => `${key.padEnd(12)} ${value}`).join("\n")
  )

export const listCommand = Command.make("list", {
  ...remoteFlags,
  state: Flag.Literals("state", JobState.literals).pipe(
    Flag.withDescription("Only those in this state"),
    Flag.optional
  ),
  job: Flag.String("job").pipe(Flag.withDescription("Only those of this name"), Flag.optional),
  limit: Flag.Int("limit").pipe(Flag.withDescription("How many at most"), Flag.withDefault(50))
}, (input) =>
  ask(input, (client) =>
    Effect.map(
      client.jobs.list({
        query: {
          limit: input.limit,
          ...(Option.isSome(input.state) ? { state: input.state.value } : {}),
          ...(Option.isSome(input.job) ? { job: input.job.value } : {})
        }
      }),
      (jobs) => say(input.format === "json" ? JSON.stringify(jobs) : table([head, ...jobs.map(row)]))
    ))).pipe(Command.withDescription("Lists the jobs of a manager, the latest first"))

export const statusCommand = Command.make(
  "status",
  { ...remoteFlags, id },
  (input) =>
    ask(
      input,
      (client) => Effect.map(client.jobs.get({ params: { id: input.id } }), (info) => show(input.format, info))
    )
).pipe(
  Command.withDescription("Says where a job stands")
)

/** Prints the elements of a stream of the API. */
const eachOf = <A>(print: (element: A) => void) => <E>(feed: Stream.Stream<FeedEvent<A>, E>): Effect.Effect<void, E> =>
  Stream.runForEach(feed, (item) =>
    Effect.sync(() => {
      if (item.event === "message") print(item.data)
    }))

export const eventsCommand = Command.make(
  "events",
  { ...remoteFlags, id, follow },
  (input) =>
    ask(input, (client) =>
      Effect.flatMap(
        client.jobs.events({ params: { id: input.id }, query: { follow: input.follow }, headers: {} }),
        eachOf((event) => say(input.format === "json" ? JSON.stringify(event) : `${event.at} ${describe(event)}`))
      ))
).pipe(Command.withDescription("Prints what happened to a job"))

export const logsCommand = Command.make(
  "logs",
  { ...remoteFlags, id, follow },
  (input) =>
    ask(input, (client) =>
      Effect.flatMap(
        client.jobs.logs({ params: { id: input.id }, query: { follow: input.follow }, headers: {} }),
        eachOf((line) => {
          if (input.format === "json") say(JSON.stringify(line))
          else process[line.stream].write(`${line.text}\n`)
        })
      ))
).pipe(Command.withDescription("Prints what a job has printed"))

export const stopCommand = Command.make("stop", {
  ...remoteFlags,
  id,
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
  { ...remoteFlags, id },
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
  id,
  force: Flag.Boolean("force").pipe(
    Flag.withDescription("Stop it first where it runs"),
    Flag.withDefault(false)
  )
}, (input) =>
  ask(input, (client) =>
    Effect.asVoid(
      client.jobs.remove({ params: { id: input.id }, query: { force: input.force ? "true" : "false" } })
    ))).pipe(Command.withDescription("Removes a job and all that is kept of it"))

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
