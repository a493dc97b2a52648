// Live progress on stderr: a line that is redrawn on a terminal, an occasional line otherwise.
import type { JobEvent, JobRun } from "autostop"
import { Effect, Metric, Stream } from "effect"
import { written } from "./flights.ts"

const stderr = process.stderr

/** Shows the progress of a job until it has stopped. */
export const follow = <A, E>(run: JobRun<A, E>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const line = new Line()
    const draw = Effect.map(Metric.value(written), ({ count }) => line.draw(count))
    const ticks = Effect.forever(Effect.andThen(Effect.sleep(stderr.isTTY ? "100 millis" : "1 second"), draw))
    const events = Stream.runForEach(run.events, (event) => Effect.sync(() => line.take(event)))
    return Effect.raceFirst(events, ticks).pipe(Effect.andThen(draw), Effect.ensuring(Effect.sync(() => line.end())))
  })

class Line {
  readonly #since = performance.now()
  #state = "starting"

  take(event: JobEvent): void {
    this.#state = stateAfter(event) ?? this.#state
  }

  draw(count: number): void {
    const seconds = Math.max(0.001, (performance.now() - this.#since) / 1_000)
    const rate = Math.round(count / seconds)
    const flights = `${count.toLocaleString("en")} flights, ${rate.toLocaleString("en")}/s`
    const line = `${seconds.toFixed(1).padStart(6)} s  ${flights}  ${this.#state}`
    // on a terminal the cursor returns to the start of the line, so that other output replaces it
    stderr.write(stderr.isTTY ? `${line.slice(0, (stderr.columns || 80) - 1)}\u001b[K\r` : `${line}\n`)
  }

  end(): void {
    if (stderr.isTTY) stderr.write("\n")
  }
}

const stateAfter = (event: JobEvent): string | undefined => {
  switch (event._tag) {
    case "ServiceStarting":
      return `starting ${event.service}`
    case "RunStarted":
      return "loading"
    case "PhaseStarted":
      return `stopping: ${event.phase}`
    case "ServiceReleasing":
      return `stopping: ${event.service}`
    case "JobStopped":
      return event.clean ? "stopped, clean" : "stopped, NOT CLEAN"
    default:
      return undefined
  }
}
