/** The commands that print the events and the log of a job. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../JobEvent.ts"
import type { FeedEvent } from "../../manager/client/followFeed.ts"
import type { LogLine } from "../../manager/models.ts"
import { sinceFlag } from "../flags/filterFlags.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { followEvents, followLogs, type LogQuery } from "../remote/followJob.ts"
import { withJob } from "../remote/shortIds.ts"
import { describeEvent } from "../../jobProcess/describeEvent.ts"
import { printLine, printOutput } from "../views/output.ts"

const flags = {
  ...remoteFlags,
  id: jobId,
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Continue until the job has stopped"),
    Flag.withDefault(false)
  )
}

/** Prints the elements of a stream of the API, if there are any. */
const printEach = <A>(print: (element: A) => void) => <E>(feed: Stream.Stream<FeedEvent<A>, E> | void) =>
  Stream.runForEach(feed ?? Stream.empty, (item) =>
    Effect.sync(() => {
      if (item.event === "message") print(item.data)
    }))

export const eventsCommand = Command.make(
  "events",
  flags,
  (input) =>
    askManager(input, (client, url) =>
      withJob(client, input.id, (id) => {
        const print = (event: JobEvent) =>
          printLine(input.format === "json" ? JSON.stringify(event) : `${event.at} ${describeEvent(event)}`)
        return input.follow
          ? followEvents(client, url, id, print)
          : Effect.flatMap(client.jobs.events({ params: { id }, query: {}, headers: {} }), printEach(print))
      }))
).pipe(Command.withDescription("Prints the events of a job"))

/** Returns the lines that the flags ask for. */
const logQueryOf = ({ grep, since, tail }: {
  readonly since: Option.Option<string>
  readonly tail: Option.Option<number>
  readonly grep: Option.Option<string>
}): LogQuery => ({
  ...(Option.isSome(since) ? { since: since.value } : {}),
  ...(Option.isSome(tail) ? { tail: tail.value } : {}),
  ...(Option.isSome(grep) ? { grep: grep.value } : {})
})

export const logsCommand = Command.make(
  "logs",
  {
    ...flags,
    since: sinceFlag("Only lines since then"),
    tail: Flag.Int("tail").pipe(
      Flag.withDescription("Of the lines so far, only as many of the last"),
      Flag.filter((tail) => tail >= 0, () => "a number of at least 0"),
      Flag.optional
    ),
    grep: Flag.String("grep").pipe(
      Flag.withDescription("Only lines that have this text in them"),
      Flag.withMetavar("text"),
      Flag.optional
    )
  },
  (input) =>
    askManager(input, (client, url) =>
      withJob(client, input.id, (id) => {
        const print = (line: LogLine) => {
          if (input.format === "json") printLine(JSON.stringify(line))
          else printOutput(line)
        }
        return input.follow
          ? followLogs(client, url, id, logQueryOf(input), print)
          : Effect.flatMap(
            client.jobs.logs({ params: { id }, query: logQueryOf(input), headers: {} }),
            printEach(print)
          )
      }))
).pipe(Command.withDescription("Prints the output of a job"))
