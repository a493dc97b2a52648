import type { StageReport } from "../StopReport.ts"
import { Notice } from "./notice.ts"

/** One counter of a pipeline; `held` is what an operator has taken in and not yet handed on. */
export interface Stage {
  readonly name: string
  readonly kind: StageReport["kind"]
  count: number
  held: number
}

/** The counters of a job's pipelines, and the gate that ends its sources. */
export class Stages {
  readonly list: Array<Stage> = []
  /** Opens when sources are to end. */
  readonly drain = new Notice()
  /** Sources that have begun and not ended. */
  running = 0
  /** When a source last emitted, in monotonic milliseconds. */
  lastEmit = 0
  readonly #byKey = new Map<string, Stage>()
  #unnamed = 0

  /** The counter of that kind and name: a pipeline that runs twice counts on. */
  stage(kind: Stage["kind"], name: string): Stage {
    const key = `${kind} ${name}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const stage: Stage = { name, kind, count: 0, held: 0 }
    this.#byKey.set(key, stage)
    this.list.push(stage)
    return stage
  }

  unnamed(kind: Stage["kind"]): Stage {
    return this.stage(kind, `${kind} ${++this.#unnamed}`)
  }

  report(): Array<StageReport> {
    return this.list.map(({ count, held, kind, name }): StageReport =>
      held === 0 ? { name, kind, count } : { name, kind, count, dropped: held }
    )
  }
}
