import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import type { Board } from "./board.ts"
import { JobLines } from "./jobLines.ts"
import { footLine, listShown, pressed, selectedOf, type StopAction } from "./watchState.ts"
import { followEvents } from "../remote/followJob.ts"

/** The largest number of waits beneath the list. */
const mostWaits = 5

/** The job whose events are read, and what they say of it. */
interface Focus {
  readonly id: string | undefined
  readonly lines: JobLines
  readonly left: OneShotLatch
}

/** The screen of `autostop watch`: the list, or one job of it, with the stops that its user asks for. */
export class WatchedJobs {
  readonly quit = new OneShotLatch()
  /** True if the screen has to be drawn anew. */
  hasChanged = false
  readonly #client: Client
  readonly #url: string
  readonly #board: Board
  readonly #clock: Clock.Clock
  #state = listShown
  #focus: Focus
  #stops: Array<StopAction> = []
  #asked = new OneShotLatch()

  constructor(client: Client, url: string, board: Board, clock: Clock.Clock) {
    this.#client = client
    this.#url = url
    this.#board = board
    this.#clock = clock
    this.#focus = this.#newFocus(undefined)
  }

  press(key: string): void {
    const { action, state } = pressed(this.#state, key, this.#board.listed)
    this.#state = state
    this.hasChanged = true
    if (action?._tag === "Quit") this.quit.open()
    if (action?._tag === "Stop") {
      this.#stops.push(action)
      this.#asked.open()
    }
  }

  lines(rows: number): ReadonlyArray<string> {
    const at = this.#clock.currentTimeMillisUnsafe()
    const board = this.#board
    const { areWaitsShown, isOpen } = this.#state
    const job = selectedOf(this.#state, board.listed)
    const isFollowed = job !== undefined && (isOpen || areWaitsShown)
    this.#follow(isFollowed ? job.id : undefined)
    const { lines } = this.#focus
    // what a stop waits for changes without news
    this.hasChanged = isFollowed && job.state === "stopping"
    const foot = ["", footLine(this.#state, (id) => board.listed.find((job) => job.id === id)?.job ?? id)]
    if (isOpen && job === undefined) return [board.head(at), "", "The job is no longer listed.", ...foot]
    if (isFollowed && isOpen) {
      const above = [board.head(at), board.jobLine(job, at), ""]
      const room = rows - above.length - foot.length
      return [...above, ...lines.lines(board.stages(job.id), now(this.#clock), room), ...foot]
    }
    const waits = isFollowed ? ["", ...lines.waits(now(this.#clock)).slice(0, mostWaits)] : []
    const room = rows - waits.length - foot.length
    return [...board.lines(at, { rows: room, selected: job?.id }), ...waits, ...foot]
  }

  /** Reads the events of the job that is looked at, and asks for the stops, for ever. */
  get run() {
    return Effect.all([this.#reading, this.#stopping], { concurrency: 2, discard: true })
  }

  readonly #reading = Effect.gen({ self: this }, function*() {
    for (;;) {
      const { id, left, lines } = this.#focus
      const follow = id === undefined ? Effect.void : followEvents(this.#client, this.#url, id, (event) => {
        lines.take(event, now(this.#clock))
        this.hasChanged = true
        // the list says when the connection is lost
      }, { heard: () => {}, lost: () => {} })
      // a job that is gone leaves the list, too
      yield* Effect.raceFirst(Effect.andThen(Effect.ignore(follow), Effect.never), left.await)
    }
  })

  readonly #stopping = Effect.gen({ self: this }, function*() {
    const { failureText } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    for (;;) {
      yield* this.#asked.await
      this.#asked = new OneShotLatch()
      for (const { id, mode } of this.#stops.splice(0)) {
        const said = yield* Effect.match(this.#client.jobs.stop({ params: { id }, payload: { mode } }), {
          onSuccess: ({ job }) => `${job} was asked to ${mode}.`,
          onFailure: failureText
        })
        this.#state = { ...this.#state, said }
        this.hasChanged = true
      }
    }
  })

  #follow(id: string | undefined): void {
    if (id === this.#focus.id) return
    const { left } = this.#focus
    this.#focus = this.#newFocus(id)
    left.open()
  }

  #newFocus(id: string | undefined): Focus {
    const guessMs = this.#board.managerTime(this.#clock.currentTimeMillisUnsafe())
    return { id, lines: new JobLines(guessMs, now(this.#clock)), left: new OneShotLatch() }
  }
}
