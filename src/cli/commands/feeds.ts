/** The commands that print what a manager tells as it happens. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../JobEvent.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { FeedEvent, FollowOptions } from "../../manager/client/followFeed.ts"
import type { LogLine } from "../../manager/models.ts"
import { describe } from "../views/progress.ts"
import { ask, jobId, remoteFlags, say } from "../flags/remoteFlags.ts"

const flags = {
  ...remoteFlags,
  id: jobId,
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Go on until the job has stopped"),
    Flag.withDefault(false)
  )
}

/** Nothing for that long, not even a heartbeat, is a connection that is lost. */
export const silenceMs = 45_000

/** Says that a connection is lost, once, and that it is back. */
export class Reconnecting {
  #isLost = false
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  readonly lost = (): void => {
    if (!this.#isLost) process.stderr.write(`autostop: the connection to ${this.#url} is lost, and is tried again\n`)
    this.#isLost = true
  }

  readonly heard = (): void => {
    if (this.#isLost) process.stderr.write(`autostop: connected again\n`)
    this.#isLost = false
  }
}

type Feed<A, E, E2> = Pick<FollowOptions<A, E, E2, never>, "connect" | "take">

/** Takes what happens to a job until it has stopped, over as many connections as it takes. */
const followJob = <A, E, E2>(client: Client, url: string, id: string, feed: Feed<A, E, E2>) =>
  Effect.gen(function*() {
    const { followFeed } = yield* Effect.promise(() => import("../../manager/client/followFeed.ts"))
    const { heard, lost } = new Reconnecting(url)
    const isOver = Effect.map(client.jobs.get({ params: { id } }), ({ state }) => state === "stopped")
    // what is connected may have nothing more to tell
    const connect = (after: number) => Effect.tap(feed.connect(after), () => Effect.sync(heard))
    yield* followFeed({ connect, take: feed.take, onAlive: heard, onLost: lost, isOver, silenceMs })
  })

export const followEvents = (client: Client, url: string, id: string, print: (event: JobEvent) => void) =>
  followJob(client, url, id, {
    connect: (after) => client.jobs.events({ params: { id }, query: { after, follow: true }, headers: {} }),
    take: (event) => {
      print(event)
      return event._tag === "JobStopped"
    }
  })

/** Prints the elements of a stream of the API. */
const eachOf = <A>(print: (element: A) => void) => <E>(feed: Stream.Stream<FeedEvent<A>, E>): Effect.Effect<void, E> =>
  Stream.runForEach(feed, (item) =>
    Effect.sync(() => {
      if (item.event === "message") print(item.data)
    }))

/** The whole id: its beginning may become that of another job, too. */
const whole = (client: Client, id: string) => Effect.map(client.jobs.get({ params: { id } }), (info) => info.id)

export const eventsCommand = Command.make(
  "events",
  flags,
  (input) =>
    ask(input, (client, url) =>
      Effect.gen(function*() {
        const id = yield* whole(client, input.id)
        const print = (event: JobEvent) =>
          say(input.format === "json" ? JSON.stringify(event) : `${event.at} ${describe(event)}`)
        if (input.follow) return yield* followEvents(client, url, id, print)
        yield* Effect.flatMap(client.jobs.events({ params: { id }, query: {}, headers: {} }), eachOf(print))
      }))
).pipe(Command.withDescription("Prints what happened to a job"))

export const logsCommand = Command.make("logs", flags, (input) =>
  ask(input, (client, url) =>
    Effect.gen(function*() {
      const id = yield* whole(client, input.id)
      const print = (line: LogLine) => {
        if (input.format === "json") say(JSON.stringify(line))
        else process[line.stream].write(`${line.text}\n`)
      }
      if (!input.follow) {
        return yield* Effect.flatMap(client.jobs.logs({ params: { id }, query: {}, headers: {} }), eachOf(print))
      }
      yield* followJob(client, url, id, {
        connect: (after) => client.jobs.logs({ params: { id }, query: { after, follow: true }, headers: {} }),
        take: (line) => {
          print(line)
          return false
        }
      })
    }))).pipe(Command.withDescription("Prints what a job has printed"))
