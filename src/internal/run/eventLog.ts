import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../JobEvent.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"

/** Events in their order. */
interface Chapter {
  readonly events: Array<JobEvent>
  /** The chapter that replaced it when some events were forgotten, and where its readers go on in that one. */
  next: { readonly chapter: Chapter; readonly from: number } | undefined
}

/** The event that ends the life of a service. */
type Stopped = Extract<JobEvent, { readonly _tag: "ServiceStopped" }>

/** Below this number of forgotten lives a new chapter is not worth the work. */
const fewest = 256

/**
 * The events of a job, from the start. A reader gets all of them, then those that follow, until the job has stopped. If
 * `run` provides a service again and again, a late reader gets only what is not forgotten: its last time.
 */
export class EventLog {
  #chapter: Chapter = { events: [], next: undefined }
  readonly #owners = new WeakMap<JobEvent, string>()
  /** The last event of each life that is to be forgotten. */
  readonly #forgotten = new Set<Stopped>()
  /** The length of the chapter when it began. */
  #kept = 0
  #next: OneShotLatch | undefined
  readonly #listeners: Array<(event: JobEvent) => void> = []
  #closed = false

  /** `owner` is the service in whose hosts the event happened. */
  readonly emit = (event: JobEvent, owner?: string): void => {
    if (this.#closed) return
    if (owner !== undefined) this.#owners.set(event, owner)
    this.#chapter.events.push(event)
    for (const listener of this.#listeners) listener(event)
    this.#wake()
  }

  /** Calls the listener with every event, in the turn of the event: there may be no next turn. */
  listen(listener: (event: JobEvent) => void): void {
    for (const event of this.#chapter.events) listener(event)
    this.#listeners.push(listener)
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  /** Forgets the events of a service, and of its hosts, from its start to this last event. */
  readonly forget = (stopped: Stopped): void => {
    this.#forgotten.add(stopped)
    // reads the whole chapter, so only once it has doubled
    const { length } = this.#chapter.events
    if (this.#forgotten.size >= fewest && length >= 2 * this.#kept) this.#turn()
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
      return this.#closed ? Cause.done() : Effect.andThen((this.#next ??= new OneShotLatch()).await, pull)
    })
    return pull
  }))

  /** Begins a chapter with the events that are not forgotten. */
  #turn(): void {
    const lost = this.#lives()
    const chapter: Chapter = { events: this.#chapter.events.filter((event) => !lost.has(event)), next: undefined }
    this.#chapter.next = { chapter, from: chapter.events.length }
    this.#chapter = chapter
    this.#kept = chapter.events.length
    this.#forgotten.clear()
  }

  /** Returns all events of the lives that are to be forgotten. */
  #lives(): ReadonlySet<JobEvent> {
    const names = new Set(Array.from(this.#forgotten, ({ service }) => service))
    const lost = new Set<JobEvent>()
    const lives = new Map<string, Array<JobEvent>>()
    for (const event of this.#chapter.events) {
      if (!("service" in event)) continue
      const owned = this.#owners.get(event)
      const owner = owned ?? event.service
      if (!names.has(owner)) continue
      const isOwn = owned === undefined
      if (isOwn && event._tag === "ServiceStarting") lives.set(owner, [])
      const life = lives.get(owner) ?? []
      life.push(event)
      if (!isOwn || event._tag !== "ServiceStopped") continue
      lives.delete(owner)
      if (!this.#forgotten.has(event)) continue
      for (const event of life) lost.add(event)
    }
    return lost
  }

  #wake(): void {
    const next = this.#next
    this.#next = undefined
    next?.open()
  }
}
