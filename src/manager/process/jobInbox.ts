import * as Effect from "effect/Effect"
import type { ParentMessage, Start } from "../../jobProcess/protocol.ts"
import type { ParentLink } from "../../process/parentLink.ts"
import type { ProcessOwner } from "../../process/processOwner.ts"
import { StopRequests } from "./stopRequests.ts"

/** A job that the manager has sent, and its requests to stop. */
export interface ReceivedJob {
  readonly start: Start
  readonly stops: StopRequests
}

/** The jobs that the manager sends to this process, one after the other. */
export class JobInbox {
  #current: ReceivedJob | undefined
  #unread: ReceivedJob | undefined
  #onJob = (): void => {}

  constructor(link: ParentLink<ParentMessage>, owner: ProcessOwner) {
    link.listen({
      onLost: () => owner.parentLost("its job manager is gone"),
      onMessage: (message) => {
        switch (message._tag) {
          case "Start":
            this.#unread = this.#current = { start: message, stops: new StopRequests() }
            return this.#onJob()
          case "Stop":
            return this.#current?.stops.add(message.request)
          case "Signal":
            return owner.signalled(message.signal, message.count)
        }
      }
    })
  }

  /** Waits for the next job. */
  readonly next: Effect.Effect<ReceivedJob> = Effect.callback((resume) => {
    this.#onJob = () => {
      const job = this.#unread
      if (job === undefined) return
      this.#unread = undefined
      this.#onJob = () => {}
      resume(Effect.succeed(job))
    }
    this.#onJob()
  })
}
