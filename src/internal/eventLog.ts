import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../JobEvent.ts"
import { Notice } from "./notice.ts"

/** What happened, from the start; whoever reads it gets all of it, then what follows, until the job has stopped. */
export class EventLog {
  readonly #events: Array<JobEvent> = []
  #next: Notice | undefined
  #closed = false

  readonly emit = (event: JobEvent): void => {
    if (this.#closed) return
    this.#events.push(event)
    this.#wake()
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
