import type * as Clock from "effect/Clock"
import type { StageReport } from "../../StopReport.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { now } from "../../base/clock.ts"

/** One counter of a pipeline. */
export interface Stage {
  readonly name: string
  readonly kind: StageReport["kind"]
  /** What left it. */
  count: number
  /** What an operator had taken in and never handed on. */
  dropped: number
}

/** The counter of an operator, named or not; outside of a job it counts for nobody. */
export const stageOf = (stages: Stages | undefined, kind: Stage["kind"], name: string | undefined): Stage =>
  stages === undefined
    ? makeStage(kind, name ?? "")
    : name === undefined
    ? stages.unnamed(kind)
    : stages.stage(kind, name)

const makeStage = (kind: Stage["kind"], name: string): Stage => ({ name, kind, count: 0, dropped: 0 })

/** An operator that holds elements, while its stream runs. */
export interface Holder {
  readonly stage: Stage
  held(): number
}

/** The counters of a job's pipelines, and the gate that ends its sources. */
export class Stages {
  readonly list: Array<Stage> = []
  /** Opens when sources are to end. */
  readonly drain = new OneShotLatch()
  /** Streams with a source that run: what it has emitted may be on its way, also where it has ended. */
  readonly #streams = new Set<object>()
  /** Sources that are being waited for. */
  waiting = 0
  /** The job's: a pipeline may run by another. */
  readonly #clock: Clock.Clock
  readonly #byKey = new Map<string, Stage>()
  readonly #holders = new Set<Holder>()
  readonly #unnamed = new Set<Stage>()
  #lastActive = 0

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  now(): number {
    return now(this.#clock)
  }

  /** A source emits, or is asked to. */
  active(): void {
    this.#lastActive = this.now()
  }

  /** For how many milliseconds no source has. */
  get idleMs(): number {
    return this.now() - this.#lastActive
  }

  get flowing(): number {
    return this.#streams.size
  }

  /** Whether it is the first source of that stream. */
  begin(stream: object): boolean {
    if (this.#streams.has(stream)) return false
    this.#streams.add(stream)
    return true
  }

  end(stream: object): void {
    this.#streams.delete(stream)
  }

  /** Streams run and none of their sources is waited for: what these have emitted is being worked on. */
  get busy(): boolean {
    return this.flowing > 0 && this.waiting === 0
  }

  /** The counter of that kind and name: a pipeline that runs twice counts on. */
  stage(kind: Stage["kind"], name: string): Stage {
    const key = `${kind} ${name}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const stage = makeStage(kind, name)
    this.#byKey.set(key, stage)
    this.list.push(stage)
    return stage
  }

  /** The first counter without a name that is free: one that is made anew for each element needs only one. */
  unnamed(kind: Stage["kind"]): Stage {
    let stage: Stage
    let n = 1
    do stage = this.stage(kind, `${kind} ${n++}`)
    while (this.#unnamed.has(stage))
    this.#unnamed.add(stage)
    return stage
  }

  hold(holder: Holder): void {
    this.#holders.add(holder)
  }

  /** The stream of an operator has ended: what it still holds is dropped. */
  letGo(holder: Holder): void {
    if (!this.#holders.delete(holder)) return
    holder.stage.dropped += holder.held()
    this.#unnamed.delete(holder.stage)
  }

  report(): Array<StageReport> {
    return this.list.map(({ count, dropped, kind, name }): StageReport =>
      dropped === 0 ? { name, kind, count } : { name, kind, count, dropped }
    )
  }

  /** Counts as dropped what a run that does not end still holds. */
  conclude(): void {
    for (const holder of this.#holders) this.letGo(holder)
  }
}
