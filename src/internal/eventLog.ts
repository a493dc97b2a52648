import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../JobEvent.ts"
import { Notice } from "./notice.ts"

/** Events in their order. */
interface Chapter {
  readonly events: Array<JobEvent>
  /** What it became when some of it was forgotten, and where those go on who had read this one to its end. */
  next: { readonly chapter: Chapter; readonly from: number } | undefined
}

/** Fewer forgotten services than these are not worth the work. */
const fewest = 256

/**
 * What happened, from the start; whoever reads it gets all of it, then what follows, until the job has stopped. Of a
 * service that `run` provides again and again, whoever comes later gets what is not forgotten: its last time.
 */
export class EventLog {
  #chapter: Chapter = { events: [], next: undefined }
  /** How often a service of each name is to be forgotten, and how often in all. */
  readonly #forgotten = new Map<string, number>()
  #forgets = 0
  #next: Notice | undefined
  #listener: ((event: JobEvent) => void) | undefined
  #closed = false

  readonly emit = (event: JobEvent): void => {
    if (this.#closed) return
    this.#chapter.events.push(event)
    this.#listener?.(event)
    this.#wake()
  }

  /** Tells one listener of all of it, in the same turn: there may be no next one. */
  listen(listener: (event: JobEvent) => void): void {
    for (const event of this.#chapter.events) listener(event)
    this.#listener = listener
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  /** Forgets the first time that a service of that name came and was released. */
  readonly forget = (service: string): void => {
    this.#forgotten.set(service, (this.#forgotten.get(service) ?? 0) + 1)
    // it takes four events or so to come and go: what is left is read again once it may have halved
    if (++this.#forgets >= Math.max(fewest, this.#chapter.events.length / 8)) this.#turn()
  }

  readonly stream: Stream.Stream<JobEvent> = Stream.fromPull(Effect.sync(() => {
    let chapter = this.#chapter
    let read = 0
    const pull = Effect.suspend((): Effect.Effect<readonly [JobEvent, ...Array<JobEvent>], Cause.Done> => {
      const [first, ...rest] = chapter.events.slice(read)
      if (first !== undefined) {
        read += 1 + rest.length
        return Effect.succeed([first, ...rest])
      }
      if (chapter.next !== undefined) {
        read = chapter.next.from
        chapter = chapter.next.chapter
        return pull
      }
      return this.#closed ? Cause.done() : Effect.andThen((this.#next ??= new Notice()).await, pull)
    })
    return pull
  }))

  /** Begins a chapter with what is not forgotten. */
  #turn(): void {
    const forgotten = this.#takeForgotten()
    const chapter: Chapter = { events: this.#chapter.events.filter((event) => !forgotten.has(event)), next: undefined }
    this.#chapter.next = { chapter, from: chapter.events.length }
    this.#chapter = chapter
    this.#forgets = 0
  }

  #takeForgotten(): ReadonlySet<JobEvent> {
    const forgotten = new Set<JobEvent>()
    const lives = new Map<string, Array<JobEvent>>()
    for (const event of this.#chapter.events) {
      if (!("service" in event) || !this.#forgotten.has(event.service)) continue
      if (event._tag === "ServiceStarting") lives.set(event.service, [])
      const life = lives.get(event.service) ?? []
      life.push(event)
      if (event._tag !== "ServiceStopped" || event.outcome !== "released") continue
      for (const event of life) forgotten.add(event)
      const left = (this.#forgotten.get(event.service) ?? 0) - 1
      if (left > 0) this.#forgotten.set(event.service, left)
      else this.#forgotten.delete(event.service)
    }
    return forgotten
  }

  #wake(): void {
    const next = this.#next
    this.#next = undefined
    next?.open()
  }
}
