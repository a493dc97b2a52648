import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobRun } from "../../Environment.ts"
import { millis, whole } from "../../base/format.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { Rates } from "./rates.ts"

const refreshMs = 100
/** More services than this are counted, not listed. */
const listed = 12

/** A view that is redrawn in place beneath whatever else is printed. */
export const live = <A, E>(run: JobRun<A, E>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const view = new View(run)
    const timer = setInterval(() => view.draw(), refreshMs)
    timer.unref()
    return Stream.runForEach(run.events, (event) => Effect.sync(() => view.take(event))).pipe(
      Effect.ensuring(Effect.sync(() => {
        clearInterval(timer)
        view.end()
      }))
    )
  })

class View {
  readonly #run: JobRun<unknown, unknown>
  readonly #services = new Map<string, string>()
  readonly #rates = new Rates(5 * refreshMs)
  readonly #phases: Array<string> = []
  readonly #restore: ReadonlyArray<() => void>
  #current: { readonly phase: string; readonly since: number } | undefined
  #drawn = 0
  #drawing = false
  /** Something was printed without an end of line. */
  #midLine = false

  constructor(run: JobRun<unknown, unknown>) {
    this.#run = run
    this.#restore = [process.stdout, process.stderr].map((stream) => {
      const write = stream.write
      // what others print goes above the view
      stream.write = (...args: Array<unknown>) => {
        if (!this.#drawing) {
          this.#erase()
          this.#midLine = typeof args[0] === "string" && !args[0].endsWith("\n")
        }
        return Reflect.apply(write, stream, args)
      }
      return () => void (stream.write = write)
    })
  }

  take(event: JobEvent): void {
    switch (event._tag) {
      case "ServiceStarting":
        this.#services.set(event.service, "starting")
        break
      case "ServiceStarted":
        this.#services.set(event.service, "running")
        break
      case "ServiceReleasing":
        this.#services.set(event.service, "releasing")
        break
      case "ServiceStopped":
        this.#services.set(event.service, event.outcome)
        break
      case "PhaseStarted":
        this.#current = { phase: event.phase, since: performance.now() }
        break
      case "PhaseEnded":
        this.#current = undefined
        this.#phases.push(`${event.phase} ${millis(event.durationMs)}${event.timedOut ? " (timed out)" : ""}`)
        break
    }
  }

  draw(): void {
    this.#drawing = true
    this.#erase()
    // a terminal that does not know its size says 0
    const width = process.stderr.columns || 80
    const lines = [...this.#stages(), ...this.#serviceLines(), ...this.#phaseLines()]
    if (this.#midLine && lines.length > 0) process.stderr.write("\n")
    this.#midLine = false
    process.stderr.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(""))
    this.#drawn = lines.length
    this.#drawing = false
  }

  end(): void {
    this.draw()
    for (const restore of this.#restore) restore()
  }

  #erase(): void {
    if (this.#drawn === 0) return
    const lines = this.#drawn
    this.#drawn = 0
    const drawing = this.#drawing
    this.#drawing = true
    process.stderr.write(`\u001b[${lines}A\u001b[0J`)
    this.#drawing = drawing
  }

  #stages(): Array<string> {
    const now = performance.now()
    return Effect.runSync(this.#run.stages).map(({ count, kind, name }) => {
      const rate = this.#rates.rate(`${kind} ${name}`, count, now)
      return `  ${name.padEnd(24)} ${whole(count).padStart(12)}  ${whole(rate)}/s`
    })
  }

  #serviceLines(): Array<string> {
    if (this.#services.size <= listed) {
      return [...this.#services].map(([name, state]) => `  ${name.padEnd(24)} ${state}`)
    }
    const counts = Map.groupBy(this.#services.values(), (state) => state)
    return [`  services: ${[...counts].map(([state, all]) => `${all.length} ${state}`).join(", ")}`]
  }

  #phaseLines(): Array<string> {
    const lines = this.#phases.length === 0 ? [] : [`  ${this.#phases.join(" → ")}`]
    if (this.#current === undefined) return lines
    const waiting = [...this.#services].flatMap(([name, state]) => state === "releasing" ? [name] : [])
    const who = this.#current.phase === "release" ? waiting.slice(0, 5).join(", ") : "the run"
    lines.push(`  ${this.#current.phase} for ${millis(performance.now() - this.#current.since)}, waiting for ${who}`)
    return lines
  }
}
