/** `autostop watch`: a manager and its jobs, as they are. */
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { Change, JobInfo } from "../../manager/models.ts"
import { Board, ending } from "../views/board.ts"
import { Reconnecting, silenceMs } from "./feeds.ts"
import { Refusal } from "../refusal.ts"
import { ask, remoteFlags, say, stranger } from "../flags/remoteFlags.ts"
import { Screen } from "../views/screen.ts"

/** Changes that come faster are shown together. */
const drawMs = 100
/** Times and rates are shown anew that often, whatever changes. */
const ageMs = 1_000

export const watchCommand = Command.make(
  "watch",
  remoteFlags,
  ({ format, ...input }) =>
    ask({ format, ...input }, (client, url) =>
      format === "pretty" && process.stdout.isTTY
        ? watchLive(client, url)
        : watchLines(client, url, format))
).pipe(
  Command.withDescription(
    "Shows a manager and its jobs as they are; q ends it. Piped, it prints a line for each change"
  )
)

interface View {
  readonly take: (change: Change) => void
  readonly heard: () => void
  readonly lost: () => void
}

/** Takes what changes, for ever, over as many connections as it takes. Fails where the first one cannot be made. */
const follow = (client: Client, url: string, { heard, lost, take }: View) =>
  Effect.gen(function*() {
    const { backoff, isTransient } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    let hasBegun = false
    for (let failures = 0;; failures++) {
      const ended = yield* Stream.unwrap(Effect.timeout(client.jobs.changes(), silenceMs)).pipe(
        Stream.timeout(silenceMs),
        Stream.runForEach((item) =>
          Effect.sync(() => {
            hasBegun = true
            failures = 0
            heard()
            if (item.event === "message") take(item.data)
          })
        ),
        Effect.result
      )
      if (ended._tag === "Failure" && !(hasBegun && isTransient(ended.failure))) {
        return yield* Effect.fail(ended.failure)
      }
      if (!hasBegun) return yield* new Refusal({ message: stranger(url, "it tells of no jobs") })
      lost()
      yield* backoff(failures)
    }
  })

/** Until `q`. */
const watchLive = (client: Client, url: string) =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const board = new Board(url)
    const quit = new OneShotLatch()
    const begun = new OneShotLatch()
    let isDue = false
    const draw = (screen: Screen) => {
      isDue = false
      screen.draw(board.lines(clock.currentTimeMillisUnsafe()))
    }
    const change = (isLost: boolean) => {
      isDue ||= board.isLost !== isLost
      board.isLost = isLost
    }
    const view: View = {
      heard: () => change(false),
      lost: () => change(true),
      take: (news) => {
        board.take(news, clock.currentTimeMillisUnsafe())
        isDue = true
        begun.open()
      }
    }
    // until it is known what to show there may be an error to be said
    const drawn = Effect.scoped(Effect.gen(function*() {
      yield* begun.await
      const screen: Screen = yield* Effect.acquireRelease(
        Effect.sync(() => new Screen({ onQuit: () => quit.open(), onResize: () => draw(screen) })),
        (screen) => Effect.sync(() => screen.close())
      )
      for (let since = ageMs;; since += drawMs) {
        if (isDue || since >= ageMs) {
          draw(screen)
          since = 0
        }
        yield* Effect.sleep(drawMs)
      }
    }))
    yield* Effect.raceFirst(Effect.raceFirst(follow(client, url, view), drawn), quit.await)
  })

/** A line for each change. */
const watchLines = (client: Client, url: string, format: "pretty" | "json") =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const board = new Board(url)
    const { heard, lost } = new Reconnecting(url)
    const line = (info: JobInfo, now: number) =>
      say(`${new Date(now).toISOString()} ${info.id} ${info.job} ${info.state} ${ending(info)}`.trimEnd())
    const take = (change: Change) => {
      if (format === "json") return say(JSON.stringify(change))
      const now = clock.currentTimeMillisUnsafe()
      const news = board.take(change, now)
      if (change._tag === "Overview") say(`${new Date(now).toISOString()} ${board.head(now)}; ${board.counts()}`)
      for (const info of news) line(info, now)
    }
    return yield* follow(client, url, { heard, lost, take })
  })
