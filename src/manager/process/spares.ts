import { isDeepStrictEqual } from "node:util"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { ChildProcess } from "../../process/childProcess.ts"
import { startTimer } from "../../process/timers.ts"
import { areSame, type ChildSettings, type ModuleVersion, newChild } from "./jobChild.ts"

/** The time after which a spare is started, because a job that starts or ends needs the processor before. */
const delayMs = 100
/** The memory that has to be available for another spare, in bytes: more than ten times what one takes. */
const leastMemory = 512 * 1024 * 1024
/** The time that a process which has ended its job waits for another one of the same module. */
const idleMs = 60_000

export interface SparesOptions {
  /** The largest number of processes that have loaded no module. */
  readonly most: number
  /** Returns what the process of most jobs starts with now. */
  readonly settings: () => ChildSettings
}

export interface WaitingChild {
  readonly child: ChildProcess
  readonly settings: ChildSettings
  /** The module that it has loaded, if it has had a job. */
  readonly module?: ModuleVersion
}

interface Spare extends WaitingChild {
  /** Ends what this class does for it. */
  readonly release: () => void
}

/**
 * Job processes that wait for a job: those that have loaded everything but a module, and those that have ended a job which lets its
 * process be used again. Only a job whose process would start with the very same arguments and variables gets one. Confined code
 * has none, because its arguments name its files.
 */
export class Spares {
  readonly #options: SparesOptions
  #spares: ReadonlyArray<Spare> = []
  #cancelStart = (): void => {}
  /** Those that were killed and are not gone yet. */
  readonly #killed = new Set<ChildProcess>()

  constructor(options: SparesOptions) {
    this.#options = options
  }

  /**
   * Returns a process for a job, if there is one: that which has ended a job of this module last, or else the oldest without a
   * module. From now on it is the caller's.
   */
  take(settings: ChildSettings, module: ModuleVersion): ChildProcess | undefined {
    this.#end((spare) => spare.module?.url === module.url && spare.module.changedAt !== module.changedAt)
    // one that has ended may not have been told so yet
    const all = this.#spares.filter(({ child, settings: its }) => child.isGroupAlive && areSame(its, settings))
    const found = all.findLast((spare) => isDeepStrictEqual(spare.module, module)) ??
      all.find((spare) => spare.module === undefined)
    this.#remove((other) => other === found)
    return found?.child
  }

  /** Takes a process that has ended its job, for another one of the same module. */
  giveBack(waiting: WaitingChild): void {
    const cancel = startTimer(idleMs, () => this.#end(({ child }) => child === waiting.child), { keepsAlive: false })
    this.#add(waiting, cancel)
  }

  /** Keeps a process without a module for each of so many slots, up to the largest number. */
  keep(slots: number): void {
    const fresh = this.#spares.filter(({ module }) => module === undefined)
    const wanted = Math.min(this.#options.most, slots)
    const surplus = new Set(fresh.slice(wanted))
    this.#end((spare) => surplus.has(spare))
    this.#startLater(wanted - fresh.length)
  }

  /** Ends all of them. Returns what opens when each is gone, with those that were killed before. */
  close(): ReadonlyArray<OneShotLatch> {
    this.keep(0)
    this.#end(() => true)
    return Array.from(this.#killed, ({ ended }) => ended)
  }

  /** A spare that ends by itself is not replaced before the next call of `keep`: its settings may be the reason. */
  #startLater(missing: number): void {
    this.#cancelStart()
    if (missing <= 0) return
    this.#cancelStart = startTimer(delayMs, () => {
      const settings = this.#options.settings()
      this.#end((spare) => !areSame(spare.settings, settings))
      if (process.availableMemory() < leastMemory) return
      this.#add({ child: newChild(settings), settings })
      this.#startLater(missing - 1)
    }, { keepsAlive: false })
  }

  #add(waiting: WaitingChild, cancel = () => {}): void {
    const off = waiting.child.ended.onOpen(() => this.#remove(({ child }) => child === waiting.child))
    const release = () => {
      cancel()
      off()
    }
    this.#spares = [...this.#spares, { ...waiting, release }]
  }

  #end(isOver: (spare: Spare) => boolean): void {
    for (const { child } of this.#spares.filter(isOver)) {
      this.#killed.add(child)
      child.ended.onOpen(() => this.#killed.delete(child))
      child.killAtOnce()
    }
    this.#remove(isOver)
  }

  #remove(isOver: (spare: Spare) => boolean): void {
    for (const { release } of this.#spares.filter(isOver)) release()
    this.#spares = this.#spares.filter((spare) => !isOver(spare))
  }
}
