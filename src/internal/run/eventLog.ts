import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../JobEvent.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"

/** Events in their order. */
interface Chapter {
  readonly events: Array<JobEvent>
  /** What it became when some of it was forgotten, and where those go on who had read this one to its end. */
  next: { readonly chapter: Chapter; readonly from: number } | undefined
}

/** What ends the life of a service. */
type Stopped = Extract<JobEvent, { readonly _tag: "ServiceStopped" }>

/** Fewer forgotten lives than these are not worth the work. */
const fewest = 256

/**
 * What happened, from the start; whoever reads it gets all of it, then what follows, until the job has stopped. Of a
 * service that `run` provides again and again, whoever comes later gets what is not forgotten: its last time.
 */
export class EventLog {
  #chapter: Chapter = { events: [], next: undefined }
  readonly #owners = new WeakMap<JobEvent, string>()
  /** The last events of the lives that are to be forgotten. */
  readonly #forgotten = new Set<Stopped>()
  /** How long the chapter was when it began. */
  #kept = 0
  #next: OneShotLatch | undefined
  #listener: ((event: JobEvent) => void) | undefined
  #closed = false

  /** `owner` is the service in whose hosts it happened. */
  readonly emit = (event: JobEvent, owner?: string): void => {
    if (this.#closed) return
    if (owner !== undefined) this.#owners.set(event, owner)
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

  /** Forgets what happened to a service, and within its hosts, from its start to this. */
  readonly forget = (stopped: Stopped): void => {
    this.#forgotten.add(stopped)
    // all of it is read again: only where it has grown as much since
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

  /** Begins a chapter with what is not forgotten. */
  #turn(): void {
    const lost = this.#lives()
    const chapter: Chapter = { events: this.#chapter.events.filter((event) => !lost.has(event)), next: undefined }
    this.#chapter.next = { chapter, from: chapter.events.length }
    this.#chapter = chapter
    this.#kept = chapter.events.length
    this.#forgotten.clear()
  }

  /** All events of the lives that are to be forgotten. */
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
