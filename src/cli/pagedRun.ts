/** Runs a job in a process of its own, and shows it on a page while it runs: that of a job manager that has this job alone. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { OneShotLatch } from "../base/oneShotLatch.ts"
import { type JobPage, openJobPage } from "../manager/jobPage.ts"
import { type IsolateOptions, runIsolated } from "./isolatedRun.ts"
import { JobRelay, type Submitted } from "./jobRelay.ts"
import { JobTerminal } from "./views/jobTerminal.ts"

/** The time that an open page has to read the end of the job, before its server is gone. */
const lastLookMs = 1_000

export interface PagedOptions extends Omit<IsolateOptions, "viewer"> {
  readonly format: "pretty" | "json"
  /** True if the page stays after the end of the job, until a signal. */
  readonly keepsPage: boolean
}

/** Runs the job, and shows its page until the Scope closes. `lastLook` lets people read how the job ended. */
export const runPaged = Effect.fnUntraced(function*({ format, keepsPage, ...options }: PagedOptions) {
  const { module, owner } = options
  const relay = new JobRelay()
  const terminal = new JobTerminal(format, yield* Clock.Clock)
  let page: JobPage | undefined
  const open = ({ id, job, name }: Submitted) =>
    openJobPage({
      id,
      name,
      module: pathToFileURL(resolve(module)).href,
      watch: (options) => relay.watch(job, options)
    }).pipe(
      Effect.map((opened) => {
        page = opened
        owner.say(`The page of the job: ${opened.address}`)
      }),
      Effect.catch(({ message }) =>
        Effect.sync(() => {
          relay.giveUp()
          owner.say(`The page cannot be shown: ${message}.`)
        })
      )
    )
  // the page waits for the job to be known: one that is refused has none
  const opening = yield* Effect.forkScoped(Effect.flatMap(Effect.promise(() => relay.begun), open))
  const ending = yield* runIsolated({
    ...options,
    viewer: {
      onMessage: (job, message) => {
        relay.take(job, message)
        terminal.take(message)
      },
      follow: (job) => Effect.tap(terminal.show(job, relay.takeOutput), (end) => Effect.sync(() => relay.end(end)))
    }
  })
  const lastLook = Effect.gen(function*() {
    if (keepsPage && relay.submitted !== undefined) yield* Fiber.join(opening)
    if (page === undefined) return
    yield* page.ended
    if (keepsPage) {
      const signalled = new OneShotLatch()
      owner.relay = () => signalled.open()
      owner.say(`The job has ended. Its page stays until Ctrl-C; "autostop open --url ${page.url}" opens it again.`)
      yield* signalled.await
    } else if (page.isOpen()) yield* Effect.sleep(lastLookMs)
  })
  return { ...ending, lastLook }
})
