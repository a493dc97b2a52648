/** A job as lines of text for a terminal: its stages and services, and its stop as it goes. */
import { table, whole } from "../../base/format.ts"
import { EventClock } from "../../base/eventClock.ts"
import { stageRows } from "../../base/stageGraph.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { LatestAttempt } from "../../jobProcess/latestAttempt.ts"
import { waitText } from "../../jobProcess/stopText.ts"
import { type StopTimeline, stopTimeline } from "../../jobProcess/stopTimeline.ts"
import type { StageReport } from "../../StopReport.ts"
import { Rates } from "./rates.ts"
import { stopLines } from "./stopLines.ts"

/** The interval that rates are measured over. */
const ratesMs = 500
/** The largest number of services that are listed while the job runs; more are only counted. */
const listed = 12

/** A job as its events tell of it. Times are those of a clock that only moves forward. */
export class JobLines {
  readonly #times: EventClock
  readonly #job = new LatestAttempt({ job: "", jobId: "", environment: "", startedAt: "" })
  readonly #rates = new Rates(ratesMs)

  /** `guessMs` is the time of those who write the events, in milliseconds since 1970, as far as it is known. */
  constructor(guessMs: number, now: number) {
    this.#times = new EventClock(guessMs, now)
  }

  take(event: JobEvent, now: number): void {
    this.#times.heard(event.at, now)
    this.#job.apply(event)
  }

  /** Returns its lines, no more than `rows`. */
  lines(stages: ReadonlyArray<StageReport>, now: number, rows: number): ReadonlyArray<string> {
    const ofStages = this.#stageLines(stages, now)
    const stop = this.#stop(now)
    const lines = stop._tag === "Running"
      ? [...ofStages, ...this.#serviceLines()]
      : [...ofStages, ...stopLines(stop, rows - ofStages.length)]
    return lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… and ${lines.length - rows + 1} more lines`]
  }

  /** Says whom the job waits for. */
  waits(now: number): ReadonlyArray<string> {
    const stop = this.#stop(now)
    if (stop._tag !== "Running") {
      return stop.awaited.length > 0 ? stop.awaited.map(waitText) : ["The stop waits for nobody."]
    }
    const starting = this.#job.projection.pending.filter(({ state }) => state === "starting").map(({ name }) => name)
    return [
      starting.length > 0 ? `Waiting for the start of ${starting.join(", ")}` : "Nobody has asked the job to stop."
    ]
  }

  #stop(now: number): StopTimeline {
    return stopTimeline(this.#job.projection, this.#times.now(now))
  }

  #stageLines(stages: ReadonlyArray<StageReport>, now: number): ReadonlyArray<string> {
    const rows = stageRows(stages).map(({ from, stage: { count, kind, name } }) => [
      name,
      whole(count),
      `${whole(this.#rates.rate(`${kind} ${name}`, count, now))}/s`,
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
