import type { ChildProcess } from "../../process/childProcess.ts"
import { startTimer } from "../../process/timers.ts"
import { areSame, type ChildSettings, newChild } from "./jobChild.ts"

/** The time after which a spare is started, because a job that starts or ends needs the processor before. */
const delayMs = 100
/** The memory that has to be available for another spare, in bytes: more than ten times what one takes. */
const leastMemory = 512 * 1024 * 1024

export interface SparesOptions {
  /** The largest number of spares. */
  readonly most: number
  /** Returns what the process of most jobs starts with now. */
  readonly settings: () => ChildSettings
}

interface Spare {
  readonly child: ChildProcess
  readonly settings: ChildSettings
}

/**
 * Job processes that have loaded everything but the module of a job, and wait for one. Only a job whose process would start
 * with the very same arguments and variables gets a spare. Confined code has none, because its arguments name its files.
 */
export class Spares {
  readonly #options: SparesOptions
  #spares: ReadonlyArray<Spare> = []
  #cancelStart = (): void => {}

  constructor(options: SparesOptions) {
    this.#options = options
  }

  /** Returns a spare with these settings, if there is one. From now on it is the caller's. */
  take(settings: ChildSettings): ChildProcess | undefined {
    // one that has ended may not have been told so yet
    const spare = this.#spares.find(({ child, settings: its }) => child.isGroupAlive && areSame(its, settings))
    this.#remove((other) => other === spare)
    return spare?.child
  }

  /** Keeps a spare for each of so many slots, up to the largest number. */
  keep(slots: number): void {
    const wanted = Math.min(this.#options.most, slots)
    const surplus = new Set(this.#spares.slice(wanted))
    this.#end((spare) => surplus.has(spare))
    this.#startLater(wanted - this.#spares.length)
  }

  /** A spare that ends by itself is not replaced before the next call of `keep`: its settings may be the reason. */
  #startLater(missing: number): void {
    this.#cancelStart()
    if (missing <= 0) return
    this.#cancelStart = startTimer(delayMs, () => {
      const settings = this.#options.settings()
      this.#end((spare) => !areSame(spare.settings, settings))
      if (process.availableMemory() < leastMemory) return
      const spare: Spare = { child: newChild(settings), settings }
      this.#spares = [...this.#spares, spare]
      spare.child.ended.onOpen(() => this.#remove((other) => other === spare))
      this.#startLater(missing - 1)
    }, { keepsAlive: false })
  }

  #end(isOver: (spare: Spare) => boolean): void {
    for (const { child } of this.#spares.filter(isOver)) child.killAtOnce()
    this.#remove(isOver)
  }

  #remove(isOver: (spare: Spare) => boolean): void {
    this.#spares = this.#spares.filter((spare) => !isOver(spare))
  }
}
