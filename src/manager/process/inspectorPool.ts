/** The processes that check submissions: a bounded number at once, each within a limit of memory. */
import * as Effect from "effect/Effect"
import { Busy } from "../errors.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import { Inspector, type InspectorOptions } from "./inspector.ts"

/** The largest number of questions without an answer. */
const mostQuestions = 256
/** The time for which questions to a process that runs pass a question that waits for a place. */
const passMs = 1_000

export interface PoolOptions {
  /** The largest number of processes at once. */
  readonly places: number
  /** The memory that each process may use, in bytes; no limit by default. */
  readonly memory?: number | undefined
  /** The largest number of questions without an answer, 256 by default. */
  readonly questions?: number
}

/** The code to ask about, and how its process is started. */
export interface Inspected extends Pick<InspectorOptions, "module" | "nodeArgs" | "env" | "loadMs"> {
  /** Descriptions take long: they have a process of their own, so that no submission waits for them. */
  readonly purpose: "check" | "describe"
}

const keyOf = ({ module, purpose }: Inspected): string => `${purpose} ${module}`

/** A question that waits for a process. */
interface Waiting {
  readonly inspected: Inspected
  readonly since: number
  readonly ask: (inspector: Inspector) => Promise<void>
}

interface Entry {
  readonly inspector: Inspector
  /** The number of its questions without an answer. */
  questions: number
}

export class InspectorPool {
  readonly #options: PoolOptions
  /** The inspectors that answer, by purpose and module; the one that was asked last is the last. */
  readonly #inspectors = new Map<string, Entry>()
  readonly #waiting = new Set<Waiting>()
  /** All that have a process, with those that are being ended. */
  readonly #processes = new Set<Inspector>()
  /** The number of questions without an answer, with those that wait. */
  #questions = 0

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Asks the inspector of a module, once there is a place for it. Fails if too many questions wait already. */
  ask<A>(inspected: Inspected, question: (inspector: Inspector) => Promise<A>): Effect.Effect<A, Busy> {
    return Effect.suspend(() => {
      const { questions: most = mostQuestions } = this.#options
      if (this.#questions >= most) {
        return Effect.fail(
          new Busy({ message: `${most} submissions are being checked, which is the limit: submit again later` })
        )
      }
      return Effect.callback<A>((resume) => {
        this.#questions++
        const waiting: Waiting = {
          inspected,
          since: performance.now(),
          ask: async (inspector) => resume(Effect.succeed(await question(inspector)))
        }
        this.#waiting.add(waiting)
        this.#admit()
        // a question that was put already is counted until its answer
        return Effect.sync(() => void (this.#waiting.delete(waiting) && this.#questions--))
      })
    })
  }

  /** Ends the processes that have no questions. Returns what opens when each is gone. */
  close(): ReadonlyArray<OneShotLatch> {
    for (const { inspector, questions } of this.#inspectors.values()) if (questions === 0) inspector.end()
    const asked = new Set(Array.from(this.#inspectors.values(), ({ inspector }) => inspector))
    return Array.from(this.#processes).filter((inspector) => !asked.has(inspector)).map(({ gone }) => gone)
  }

  /** Puts the questions that have a process. The first that has to wait keeps its place in the queue. */
  #admit(): void {
    let blockedSince = Infinity
    for (const waiting of this.#waiting) {
      const isPassed = performance.now() - blockedSince > passMs
      if (isPassed || !this.#put(waiting, blockedSince < Infinity)) blockedSince = Math.min(blockedSince, waiting.since)
    }
  }

  /** Puts a question if its inspector runs, or can be started. Returns false if the question has to wait. */
  #put(waiting: Waiting, isBehind: boolean): boolean {
    const key = keyOf(waiting.inspected)
    const known = this.#inspectors.get(key)
    const entry = known ?? (isBehind ? undefined : this.#start(waiting.inspected))
    if (entry === undefined) return false
    this.#inspectors.delete(key)
    this.#inspectors.set(key, entry)
    this.#waiting.delete(waiting)
    entry.questions++
    void waiting.ask(entry.inspector).then(() => {
      entry.questions--
      this.#questions--
      this.#admit()
    })
    return true
  }

  /** Starts an inspector if there is a place for its process. */
  #start(inspected: Inspected): Entry | undefined {
    const { memory, places } = this.#options
    if (this.#processes.size >= places) {
      this.#makeRoom()
      return undefined
    }
    const key = keyOf(inspected)
    const entry: Entry = {
      questions: 0,
      inspector: new Inspector({
        ...inspected,
        memory,
        onEnd: () => void (this.#inspectors.get(key) === entry && this.#inspectors.delete(key))
      })
    }
    const { inspector } = entry
    this.#processes.add(inspector)
    inspector.gone.onOpen(() => {
      this.#processes.delete(inspector)
      this.#admit()
    })
    return entry
  }

  /** Ends the process that was asked longest ago and has no questions, unless one is being ended. */
  #makeRoom(): void {
    if (this.#processes.size > this.#inspectors.size) return
    for (const { inspector, questions } of this.#inspectors.values()) if (questions === 0) return inspector.end()
  }
}
