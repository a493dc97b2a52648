import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { printable } from "../../base/format.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { Change, JobInfo } from "../../manager/models.ts"
import { Board, ending } from "../views/board.ts"
import { remoteFlags } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { askManager, notAManager } from "../remote/askManager.ts"
import { ConnectionNotice, silenceMs } from "../remote/connectionNotice.ts"
import { printLine } from "../views/output.ts"
import { Screen } from "../views/screen.ts"
import { WatchedJobs } from "../views/watchedJobs.ts"

/** The shortest time between two drawings. Changes that come faster are shown together. */
const drawMs = 100
/** The interval at which ages and rates are shown anew, even if nothing has changed. */
const ageMs = 1_000

/** The command `autostop watch`, which shows a manager and its jobs. */
export const watchCommand = Command.make(
  "watch",
  remoteFlags,
  ({ format, ...input }) =>
    askManager({ format, ...input }, (client, url) =>
      format === "pretty" && process.stdout.isTTY
        ? watchLive(client, url)
        : watchLines(client, url, format))
).pipe(
  Command.withDescription(
    "Shows a manager and its jobs, and stops them, until q is pressed. Without a terminal it prints a line for each change"
  )
)

interface View {
  readonly take: (change: Change) => void
  readonly heard: () => void
  readonly lost: () => void
}

/**
 * Reads the changes for ever, over as many connections as that takes. Fails if the first connection cannot be made, or
 * if an error cannot pass.
 */
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
      if (!hasBegun) return yield* new Refusal({ message: notAManager(url, "it sends no jobs") })
      lost()
      yield* backoff(failures)
    }
  })

/** Redraws the terminal until `q` is pressed. */
const watchLive = (client: Client, url: string) =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const board = new Board(url)
    const watched = new WatchedJobs(client, url, board, clock)
    const begun = new OneShotLatch()
    const view: View = {
      heard: () => {
        if (board.heard()) watched.hasChanged = true
      },
      lost: () => {
        if (board.lost()) watched.hasChanged = true
      },
      take: (news) => {
        board.take(news, clock.currentTimeMillisUnsafe())
        watched.hasChanged = true
        begun.open()
      }
    }
    // the screen is taken only after the first connection, so that its error is printed on the screen as it was
    const drawn = Effect.scoped(Effect.gen(function*() {
      yield* begun.await
      const draw = () => screen.draw(watched.lines(screen.rows))
      const screen: Screen = yield* Effect.acquireRelease(
        Effect.sync(() => new Screen({ onKey: (key) => watched.press(key), onResize: draw })),
        (screen) => Effect.sync(() => screen.close())
      )
      for (let since = ageMs;; since += drawMs) {
        if (watched.hasChanged || since >= ageMs) {
          watched.hasChanged = false
          draw()
          since = 0
        }
        yield* Effect.sleep(drawMs)
      }
    }))
    const all = [follow(client, url, view), drawn, watched.run]
    yield* Effect.raceFirst(Effect.all(all, { concurrency: "unbounded", discard: true }), watched.quit.await)
  })

/** Prints a line for each change. */
const watchLines = (client: Client, url: string, format: "pretty" | "json") =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const board = new Board(url)
    const { heard, lost } = new ConnectionNotice(url)
    const line = (info: JobInfo, now: number) =>
      printLine(
        printable(`${new Date(now).toISOString()} ${info.id} ${info.job} ${info.state} ${ending(info)}`.trimEnd())
      )
    const take = (change: Change) => {
      if (format === "json") return printLine(JSON.stringify(change))
      const now = clock.currentTimeMillisUnsafe()
      const news = board.take(change, now)
      if (change._tag === "Overview") printLine(`${new Date(now).toISOString()} ${board.head(now)}; ${board.counts()}`)
      for (const info of news) line(info, now)
    }
    return yield* follow(client, url, { heard, lost, take })
  })
