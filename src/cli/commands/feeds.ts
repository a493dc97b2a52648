/** The commands that print the events and the log of a job. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../JobEvent.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { FeedEvent } from "../../manager/client/followFeed.ts"
import type { LogLine } from "../../manager/models.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { followEvents, followLogs } from "../remote/followJob.ts"
import { describeEvent } from "../views/eventText.ts"
import { printLine } from "../views/output.ts"

const flags = {
  ...remoteFlags,
  id: jobId,
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Continue until the job has stopped"),
    Flag.withDefault(false)
  )
}

/** Prints the elements of a stream of the API. */
const printEach = <A>(print: (element: A) => void) => <E>(feed: Stream.Stream<FeedEvent<A>, E>) =>
  Stream.runForEach(feed, (item) =>
    Effect.sync(() => {
      if (item.event === "message") print(item.data)
    }))

/** Returns the whole id of a job, because a prefix of it may later be the prefix of another job's id too. */
const wholeId = (client: Client, id: string) => Effect.map(client.jobs.get({ params: { id } }), (info) => info.id)

export const eventsCommand = Command.make(
  "events",
  flags,
  (input) =>
    askManager(input, (client, url) =>
      Effect.gen(function*() {
        const id = yield* wholeId(client, input.id)
        const print = (event: JobEvent) =>
          printLine(input.format === "json" ? JSON.stringify(event) : `${event.at} ${describeEvent(event)}`)
        if (input.follow) return yield* followEvents(client, url, id, print)
        yield* Effect.flatMap(client.jobs.events({ params: { id }, query: {}, headers: {} }), printEach(print))
      }))
).pipe(Command.withDescription("Prints the events of a job"))

export const logsCommand = Command.make(
  "logs",
  flags,
  (input) =>
    askManager(input, (client, url) =>
      Effect.gen(function*() {
        const id = yield* wholeId(client, input.id)
        const print = (line: LogLine) => {
          if (input.format === "json") printLine(JSON.stringify(line))
          else process[line.stream].write(line.mark === "continued" ? line.text : `${line.text}\n`)
        }
        if (input.follow) return yield* followLogs(client, url, id, print)
        yield* Effect.flatMap(client.jobs.logs({ params: { id }, query: {}, headers: {} }), printEach(print))
      }))
).pipe(Command.withDescription("Prints the output of a job"))
