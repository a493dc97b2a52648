import type * as Clock from "effect/Clock"
import type * as Fiber from "effect/Fiber"
import { now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { stageLabels } from "../../base/stageGraph.ts"
import type { StageReport } from "../report/reportSchemas.ts"
import { Flow } from "./flow.ts"
import { type StageTime, StageTimes } from "./stageTimes.ts"

/** One counter of a pipeline. */
export interface Stage {
  readonly name: string
  readonly kind: StageReport["kind"]
  /** The number of elements that left it. */
  count: number
  /** The number of elements that an operator had taken in and never handed on. */
  dropped: number
  /** The reason why a source could not be told to end. */
  error: string | undefined
  /** The stages that it takes from; some are known by their name alone. */
  readonly upstream: Set<Stage | string>
  /** Its times, if they are measured and it was opened. */
  time: StageTime | undefined
}

/** An operator that holds elements while its stream runs. */
export interface Holder {
  readonly stage: Stage
  /** Returns the number of elements that were taken in and not handed on. */
  held(): number
  /** Returns the number of those that are worked on. */
  inFlight?(): number
}

/** Returns the counter of an operator, named or not. Outside of a job nobody reads it. */
export const stageOf = (stages: StageCounters | undefined, kind: Stage["kind"], name: string | undefined): Stage =>
  stages === undefined
    ? makeStage(kind, name ?? "")
    : name === undefined
    ? stages.unnamed(kind)
    : stages.stage(kind, name)

const makeStage = (kind: Stage["kind"], name: string): Stage => ({
  name,
  kind,
  count: 0,
  dropped: 0,
  error: undefined,
  upstream: new Set(),
  time: undefined
})

/** Calls the listener each time that the fiber goes on after a wait. Returns a function that removes it. */
export type WatchFiber = (fiber: Fiber.Fiber<unknown, unknown>, onResume: () => void) => () => void

/** The jobs of this process that have not stopped. */
let running = 0

/** The counters of a job's pipelines, and the latch that ends its sources. */
export class StageCounters {
  /** Opens when sources are to end. */
  readonly draining = new OneShotLatch()
  /** The clock of the job: a pipeline may run by another one. */
  readonly #clock: Clock.Clock
  readonly #stages: Array<Stage> = []
  readonly #byKey = new Map<string, Stage>()
  readonly #holders = new Set<Holder>()
  readonly #usedUnnamed = new Set<Stage>()
  /** The streams with a source that run: elements may be on their way even if the source has ended. */
  readonly #streams = new Map<object, Flow>()
  /** The number of sources that a consumer waits for. */
  #awaited = 0
  #lastActive = 0
  /** The times of its stages, if they are measured. */
  #times: StageTimes | undefined
  /** `true` once the job has stopped. */
  isOver = false
  readonly watch: WatchFiber

  constructor(clock: Clock.Clock, watch: WatchFiber) {
    this.#clock = clock
    this.watch = watch
    running++
  }

  /** `true` while a job runs in this process. */
  static get areJobsRunning(): boolean {
    return running > 0
  }

  now(): number {
    return now(this.#clock)
  }

  get times(): StageTimes | undefined {
    return this.#times
  }

  /** Begins to measure the times of streams that are opened from now on. Somebody has to call `settleTimes` again and again. */
  measureTimes(): void {
    this.#times ??= new StageTimes(() => this.now())
  }

  /** Brings the times of the stages up to now. */
  settleTimes(): void {
    if (this.#times === undefined || this.isOver) return
    this.#times.settle()
    const at = this.now()
    for (const { time } of this.#stages) time?.durations.turn(at)
  }

  /** Ends the sources. */
  drain(): void {
    this.draining.open()
  }

  /** A source emits, or is asked to. */
  active(at = this.now()): void {
    this.#lastActive = at
  }

  /** A consumer begins to wait for a source. */
  awaitSource(): void {
    this.#awaited++
    this.active()
  }

  /** A consumer no longer waits for a source. */
  stopAwaitingSource(): void {
    this.#awaited--
  }

  /** The milliseconds since a source was last active. */
  get idleMs(): number {
    return this.now() - this.#lastActive
  }

  /** `true` while streams run that have a source. */
  get isFlowing(): boolean {
    return this.#streams.size > 0
  }

  /** `true` while streams run and nobody waits for their sources: what these have emitted is being worked on. */
  get isBusy(): boolean {
    return this.isFlowing && this.#awaited === 0
  }

  /** Returns the stream with a source that runs under this key. */
  flowOf(stream: object): Flow | undefined {
    return this.#streams.get(stream)
  }

  /** A stream with a source begins. */
  begin(stream: object): Flow {
    const flow = new Flow()
    this.#streams.set(stream, flow)
    return flow
  }

  end(stream: object): void {
    this.#streams.delete(stream)
  }

  /** Returns the counter of that kind and name: a pipeline that runs twice continues to count. */
  stage(kind: Stage["kind"], name: string): Stage {
    const key = `${kind} ${name}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const stage = makeStage(kind, name)
    this.#byKey.set(key, stage)
    this.#stages.push(stage)
    return stage
  }

  /** Returns the first free counter without a name: an operator that is made anew for each element needs only one. */
  unnamed(kind: Stage["kind"]): Stage {
    let stage: Stage
    let n = 1
    do stage = this.stage(kind, `${kind} ${n++}`)
    while (this.#usedUnnamed.has(stage))
    this.#usedUnnamed.add(stage)
    return stage
  }

  /** The stream of an operator begins. */
  addHolder(holder: Holder): void {
    this.#holders.add(holder)
  }

  /** The stream of an operator has ended: what it still holds is dropped. */
  removeHolder(holder: Holder): void {
    if (!this.#holders.delete(holder)) return
    holder.stage.dropped += holder.held()
    this.#usedUnnamed.delete(holder.stage)
  }

  /** The job has stopped: counts as dropped what a run that does not end still holds. */
  conclude(): void {
    if (!this.isOver) running--
    this.settleTimes()
    this.isOver = true
    for (const holder of this.#holders) this.removeHolder(holder)
  }

  report(): Array<StageReport> {
    const labels = stageLabels(this.#stages)
    const labelOf = new Map(this.#stages.map((stage, place) => [stage, labels[place] ?? stage.name]))
    return this.#stages.map((stage): StageReport => {
      const { count, dropped, error, kind, name } = stage
      const upstream = stage.upstream.size === 0 ? [] : this.#upstreamOf(stage, labelOf)
      return {
        name,
        kind,
        count,
        ...(dropped === 0 ? {} : { dropped }),
        ...(error === undefined ? {} : { error }),
        ...(upstream.length === 0 ? {} : { upstream }),
        ...(this.#times === undefined ? {} : this.#measured(stage))
      }
    })
  }

  /** Returns what is known of a stage if times are measured. */
  #measured(stage: Stage): Partial<StageReport> {
    let held = 0
    let inFlight = 0
    for (const holder of this.#holders) {
      if (holder.stage !== stage) continue
      held += holder.held()
      inFlight += holder.inFlight?.() ?? 0
    }
    const { time } = stage
    const p95Ms = time?.durations.percentile(0.95)
    return {
      ...(held === 0 ? {} : { held }),
      ...(inFlight === 0 ? {} : { inFlight }),
      ...(time === undefined ? {} : { timeMs: rounded(time.ms), durations: time.durations.counts }),
      ...(p95Ms === undefined ? {} : { p95Ms: micros(p95Ms) })
    }
  }

  /** Returns the labels of the stages that one takes from, without itself: two stages of one name have one counter. */
  #upstreamOf(stage: Stage, labelOf: ReadonlyMap<Stage, string>): ReadonlyArray<string> {
    const stages = [...stage.upstream].flatMap((before) =>
      typeof before === "string" ? this.#stages.filter(({ name }) => name === before) : [before]
    )
    return [...new Set(stages)].flatMap((before) => before === stage ? [] : labelOf.get(before) ?? [])
  }
}

/** Milliseconds, to the microsecond. */
const micros = (ms: number): number => Math.round(ms * 1_000) / 1_000

const rounded = ({ backpressured, busy, idle }: StageTime["ms"]) => ({
  busy: micros(busy),
  idle: micros(idle),
  backpressured: micros(backpressured)
})
