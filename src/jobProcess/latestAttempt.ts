import type { JobEvent } from "../JobEvent.ts"
import { EventProjection, type JobIdentity } from "./eventProjection.ts"

/** The latest attempt of a job, as the events of all its attempts describe it. */
export class LatestAttempt {
  readonly #identity: JobIdentity
  #projection: EventProjection

  constructor(identity: JobIdentity) {
    this.#identity = identity
    this.#projection = new EventProjection(identity)
  }

  get projection(): EventProjection {
    return this.#projection
  }

  apply(event: JobEvent): void {
    if (event._tag === "JobRestarting") this.#projection = new EventProjection(this.#identity)
    else this.#projection.apply(event)
  }
}
