import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../JobEvent.ts"
import { Notice } from "./notice.ts"

/** What happened, from the start; whoever reads it gets all of it, then what follows, until the job has stopped. */
export class EventLog {
  readonly #events: Array<JobEvent> = []
  #next: Notice | undefined
  #listener: ((event: JobEvent) => void) | undefined
  #closed = false

  readonly emit = (event: JobEvent): void => {
    if (this.#closed) return
    this.#events.push(event)
    this.#listener?.(event)
    this.#wake()
  }

  /** Tells one listener of all of it, in the same turn: there may be no next one. */
  listen(listener: (event: JobEvent) => void): void {
    for (const event of this.#events) listener(event)
    this.#listener = listener
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  readonly stream: Stream.Stream<JobEvent> = Stream.fromPull(Effect.sync(() => {
    let read = 0
    const pull = Effect.suspend((): Effect.Effect<readonly [JobEvent, ...Array<JobEvent>], Cause.Done> => {
      const [first, ...rest] = this.#events.slice(read)
      if (first !== undefined) {
        read += 1 + rest.length
        return Effect.succeed([first, ...rest])
      }
      return this.#closed ? Cause.done() : Effect.andThen((this.#next ??= new Notice()).await, pull)
    })
    return pull
  }))

  #wake(): void {
    const next = this.#next
    this.#next = undefined
    next?.open()
  }
}
