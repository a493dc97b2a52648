import { sleep, within } from "./boundedWait.ts"
import type { RayApi } from "./rayApi.ts"

/** The interval at which a cluster is asked. */
const pollMs = 50

/** How long a cluster may leave its actors unknown at the end of a job. */
const silentMs = 2_000

/** What Ray says about the actors of one of its jobs. */
export class ActorStates {
  readonly #api: RayApi
  readonly #jobId: string
  #asking: Promise<ReadonlyArray<string> | undefined> | undefined

  /** `jobId` is the id of the job itself, not that of its submission. */
  constructor(api: RayApi, jobId: string) {
    this.#api = api
    this.#jobId = jobId
  }

  /** Waits until Ray says that an actor is DEAD; returns false if the time is up before. */
  async isDead(actorId: string, limitMs: number): Promise<boolean> {
    const end = performance.now() + limitMs
    while (true) {
      const alive = await this.#alive(end)
      if (alive !== undefined && !alive.includes(actorId)) return true
      if (performance.now() >= end) return false
      await sleep(pollMs)
    }
  }

  /** Waits until all actors are DEAD; returns those that are not, or `undefined` if the cluster does not say. */
  async unended(limitMs: number): Promise<ReadonlyArray<string> | undefined> {
    const end = performance.now() + limitMs
    const silentUntil = Math.min(end, performance.now() + silentMs)
    while (true) {
      const alive = await this.#alive(end)
      const now = performance.now()
      if (alive?.length === 0 || now >= end || (alive === undefined && now >= silentUntil)) return alive
      await sleep(pollMs)
    }
  }

  /** The ids of the actors that are not DEAD; `undefined` if the cluster does not say. Questions at one time are one. */
  #alive(end: number): Promise<ReadonlyArray<string> | undefined> {
    this.#asking ??= this.#api.actors(this.#jobId)
      .then(
        (actors) => actors.filter(({ state }) => state !== "DEAD").map(({ actor_id }) => actor_id),
        () => undefined
      )
      .finally(() => this.#asking = undefined)
    return within(this.#asking, Math.max(0, end - performance.now()))
  }
}
