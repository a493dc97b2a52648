import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { now } from "../../base/clock.ts"
import { printable, table, whole } from "../../base/format.ts"
import { stageRows } from "../../base/stageGraph.ts"
import type { JobRun } from "../../Environment.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { LatestAttempt } from "../../jobProcess/latestAttempt.ts"
import { stopTimeline } from "../../jobProcess/stopTimeline.ts"
import { startInterval } from "../../process/timers.ts"
import type { StageReport } from "../../StopReport.ts"
import { EventClock } from "../../base/eventClock.ts"
import { erasing, type LastOutput, nothingPrinted, othersPrinted, viewDrawn } from "./lastOutput.ts"
import { Rates } from "./rates.ts"
import { stopLines } from "./stopLines.ts"

const refreshMs = 100
/** The largest number of services that are listed while the job runs; more are only counted. */
const listed = 12

/** Shows a run in place, beneath everything else that is printed, until it has stopped. */
export const showLive = <A, E>(run: JobRun<A, E>): Effect.Effect<void> =>
  Effect.flatMap(Clock.Clock, (clock) =>
    drawLive(
      { guessMs: clock.currentTimeMillisUnsafe(), stages: () => Effect.runSync(run.stages) },
      (take) => Stream.runForEach(run.events, (event) => Effect.sync(() => take(event)))
    ))

export interface LiveOptions {
  /** The time of those who write the events, in milliseconds since 1970, as far as it is known. */
  readonly guessMs: number
  readonly stages: () => ReadonlyArray<StageReport>
}

/** Shows the events of a job in place, as long as `use` takes them. */
export const drawLive = <A, E, R>(
  options: LiveOptions,
  use: (take: (event: JobEvent) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const view = new View(options, yield* Clock.Clock)
    // the timer of a sleep would be one of the job's leftovers
    const stopRedrawing = startInterval(refreshMs, () => view.draw())
    return yield* Effect.ensuring(
      use((event) => view.take(event)),
      Effect.sync(() => {
        stopRedrawing()
        view.end()
      })
    )
  })

class View {
  readonly #stages: () => ReadonlyArray<StageReport>
  readonly #clock: Clock.Clock
  readonly #times: EventClock
  readonly #job = new LatestAttempt({ job: "", jobId: "", environment: "", startedAt: "" })
  readonly #rates = new Rates(5 * refreshMs)
  readonly #restore: ReadonlyArray<() => void>
  readonly #print: (text: string) => void
  #last: LastOutput = nothingPrinted

  constructor({ guessMs, stages }: LiveOptions, clock: Clock.Clock) {
    this.#stages = stages
    this.#clock = clock
    this.#times = new EventClock(guessMs, now(clock))
    const { write } = process.stderr
    this.#print = (text) => void (text !== "" && Reflect.apply(write, process.stderr, [text]))
    this.#restore = [process.stdout, process.stderr].map((stream) => {
      const write = stream.write
      // the output of others goes above the view
      stream.write = (...args: Array<unknown>) => {
        this.#print(erasing(this.#last))
        this.#last = othersPrinted(args[0])
        return Reflect.apply(write, stream, args)
      }
      return () => void (stream.write = write)
    })
  }

  take(event: JobEvent): void {
    this.#times.heard(event.at, now(this.#clock))
    this.#job.apply(event)
  }

  draw(): void {
    // a terminal that does not know its size says 0
    const { columns, rows } = { columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 }
    const lines = this.#lines(rows - 1)
    const isMidLine = this.#last._tag === "Others" && this.#last.isMidLine
    this.#print(erasing(this.#last))
    if (isMidLine && lines.length > 0) this.#print("\n")
    this.#print(lines.map((line) => `${`  ${printable(line)}`.slice(0, columns - 1)}\n`).join(""))
    this.#last = viewDrawn(this.#last, lines.length)
  }

  end(): void {
    this.draw()
    for (const restore of this.#restore) restore()
  }

  /** A terminal cannot erase what has left it at its upper edge: there are never more lines than fit. */
  #lines(rows: number): ReadonlyArray<string> {
    const stages = this.#stageLines()
    const stop = stopTimeline(this.#job.projection, this.#times.now(now(this.#clock)))
    const lines = stop._tag === "Running"
      ? [...stages, ...this.#serviceLines()]
      : [...stages, ...stopLines(stop, rows - stages.length)]
    return lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… and ${lines.length - rows + 1} more lines`]
  }

  #stageLines(): ReadonlyArray<string> {
    const at = now(this.#clock)
    const rows = stageRows(this.#stages()).map(({ from, stage: { count, kind, name } }) => [
      name,
      whole(count),
      `${whole(this.#rates.rate(`${kind} ${name}`, count, at))}/s`,
      from
    ])
    return table(rows, ["left", "right"])
  }

  #serviceLines(): ReadonlyArray<string> {
    const { services } = this.#job.projection
    if (services.size <= listed) return table(Array.from(services, ([name, { state }]) => [name, state]))
    const counts = Map.groupBy(services.values(), ({ state }) => state)
    return [`services: ${[...counts].map(([state, all]) => `${all.length} ${state}`).join(", ")}`]
  }
}
