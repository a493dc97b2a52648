import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { now } from "../../base/clock.ts"
import { millis, printable, table, whole } from "../../base/format.ts"
import type { JobRun } from "../../Environment.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { startInterval } from "../../process/timers.ts"
import { erasing, type LastOutput, nothingPrinted, othersPrinted, viewDrawn } from "./lastOutput.ts"
import { Rates } from "./rates.ts"

const refreshMs = 100
/** The largest number of services that are listed; more are only counted. */
const listed = 12

/** Shows a run in place, beneath everything else that is printed, until it has stopped. */
export const showLive = <A, E>(run: JobRun<A, E>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const view = new View(run, yield* Clock.Clock)
    // the timer of a sleep would be one of the job's leftovers
    const stopRedrawing = startInterval(refreshMs, () => view.draw())
    yield* Stream.runForEach(run.events, (event) => Effect.sync(() => view.take(event))).pipe(
      Effect.ensuring(Effect.sync(() => {
        stopRedrawing()
        view.end()
      }))
    )
  })

class View {
  readonly #run: JobRun<unknown, unknown>
  readonly #clock: Clock.Clock
  readonly #services = new Map<string, string>()
  readonly #rates = new Rates(5 * refreshMs)
  readonly #phases: Array<string> = []
  readonly #restore: ReadonlyArray<() => void>
  #current: { readonly phase: string; readonly since: number } | undefined
  readonly #print: (text: string) => void
  #last: LastOutput = nothingPrinted

  constructor(run: JobRun<unknown, unknown>, clock: Clock.Clock) {
    this.#run = run
    this.#clock = clock
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
        this.#current = { phase: event.phase, since: now(this.#clock) }
        break
      case "PhaseEnded":
        this.#current = undefined
        this.#phases.push(`${event.phase} ${millis(event.durationMs)}${event.timedOut ? " (timed out)" : ""}`)
        break
    }
  }

  draw(): void {
    // a terminal that does not know its size says 0
    const width = process.stderr.columns || 80
    const lines = [...this.#stageLines(), ...this.#serviceLines(), ...this.#phaseLines()]
    const isMidLine = this.#last._tag === "Others" && this.#last.isMidLine
    this.#print(erasing(this.#last))
    if (isMidLine && lines.length > 0) this.#print("\n")
    this.#print(lines.map((line) => `${`  ${printable(line)}`.slice(0, width - 1)}\n`).join(""))
    this.#last = viewDrawn(this.#last, lines.length)
  }

  end(): void {
    this.draw()
    for (const restore of this.#restore) restore()
  }

  #stageLines(): ReadonlyArray<string> {
    const at = now(this.#clock)
    const rows = Effect.runSync(this.#run.stages).map(({ count, kind, name }) => [
      name,
      whole(count),
      `${whole(this.#rates.rate(`${kind} ${name}`, count, at))}/s`
    ])
    return table(rows, ["left", "right"])
  }

  #serviceLines(): ReadonlyArray<string> {
    if (this.#services.size <= listed) return table([...this.#services])
    const counts = Map.groupBy(this.#services.values(), (state) => state)
    return [`services: ${[...counts].map(([state, all]) => `${all.length} ${state}`).join(", ")}`]
  }

  #phaseLines(): ReadonlyArray<string> {
    const lines = this.#phases.length === 0 ? [] : [this.#phases.join(" → ")]
    if (this.#current === undefined) return lines
    const { phase, since } = this.#current
    const releasing = [...this.#services].flatMap(([name, state]) => state === "releasing" ? [name] : [])
    const awaited = phase === "release" ? releasing.slice(0, 5).join(", ") : "the run"
    return [...lines, `${phase} for ${millis(now(this.#clock) - since)}, waiting for ${awaited}`]
  }
}
