/** Reads what happens to a job until it has stopped, over as many connections as that takes. */
import * as Effect from "effect/Effect"
import type { JobEvent } from "../../JobEvent.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { FollowOptions } from "../../manager/client/followFeed.ts"
import type { LogLine } from "../../manager/models.ts"
import { ConnectionNotice, silenceMs } from "./connectionNotice.ts"

type Feed<A, E, E2> = Pick<FollowOptions<A, E, E2, never>, "connect" | "take">

const followJob = <A, E, E2>(
  client: Client,
  id: string,
  feed: Feed<A, E, E2>,
  { heard, lost }: Pick<ConnectionNotice, "heard" | "lost">
) =>
  Effect.gen(function*() {
    const { followFeed } = yield* Effect.promise(() => import("../../manager/client/followFeed.ts"))
    const isOver = Effect.map(client.jobs.get({ params: { id } }), ({ state }) => state === "stopped")
    // a stream that is connected may have nothing more to send
    const connect = (after: number) => Effect.tap(feed.connect(after), () => Effect.sync(heard))
    yield* followFeed({ connect, take: feed.take, onAlive: heard, onLost: lost, isOver, silenceMs })
  })

export const followEvents = (
  client: Client,
  url: string,
  id: string,
  print: (event: JobEvent) => void,
  notice: Pick<ConnectionNotice, "heard" | "lost"> = new ConnectionNotice(url)
) =>
  followJob(client, id, {
    connect: (after) => client.jobs.events({ params: { id }, query: { after, follow: true }, headers: {} }),
    take: (event) => {
      print(event)
      return event._tag === "JobStopped"
    }
  }, notice)

/** The largest number of an event that each store can compare with. */
const pastAll = 2 ** 31 - 1

/** Waits until a job has stopped. Its events are left out: the feed alone ends with the job. */
export const awaitStopped = (client: Client, id: string, notice: ConnectionNotice) =>
  followJob(client, id, {
    connect: () => client.jobs.events({ params: { id }, query: { after: pastAll, follow: true }, headers: {} }),
    take: () => false
  }, notice)

export type LogQuery = Pick<Parameters<Client["jobs"]["logs"]>[0]["query"], "since" | "tail" | "grep">

export const followLogs = (
  client: Client,
  url: string,
  id: string,
  { tail, ...query }: LogQuery,
  print: (line: LogLine) => void
) =>
  followJob(client, id, {
    connect: (after) => {
      // after a connection is lost, all lines since then are wanted
      const first = after === 0 && tail !== undefined ? { tail } : {}
      return client.jobs.logs({ params: { id }, query: { ...query, ...first, after, follow: true }, headers: {} })
    },
    take: (line) => {
      print(line)
      return false
    }
  }, new ConnectionNotice(url))
