import type { Leftover } from "../../StopReport.ts"
import type { Open } from "../caller/hostConnection.ts"
import { RayApi } from "./rayApi.ts"
import { RayJob, within } from "./rayJob.ts"
import { RayLink } from "./rayConnection.ts"
import { clusterModule } from "./runtimeEnv.ts"
import type { RaySettings } from "../raySettings.ts"

export interface RayHostsOptions {
  readonly settings: RaySettings
  readonly service: string
  /** How long a host may take to clean up. */
  readonly limitMs: number
  /** How long a kill may take. */
  readonly killMs: number
}

/** How long the Ray job may take to end, and to be deleted, once its actors have ended. */
const endMs = 8_000

/** What is kept of that to say how it went. */
const marginMs = 250

/** The hosts of one service in a Ray cluster, all of them actors of one Ray job, which is replaced where it is lost. */
export class RayHosts {
  readonly #options: RayHostsOptions
  readonly #api: RayApi
  readonly #jobs: Array<RayJob> = []
  readonly #links: Array<RayLink> = []
  #ended: Promise<void> | undefined
  #seen: ReadonlyArray<Leftover> | undefined

  constructor(options: RayHostsOptions) {
    this.#options = options
    this.#api = new RayApi(options.settings)
  }

  /** What could not be seen to have gone; before its end, that is all there is. */
  get leftovers(): ReadonlyArray<Leftover> {
    return this.#seen ??
      this.#jobs.map(({ id }) => ({
        kind: "ray-job",
        detail: `the Ray job ${id} was not seen to end: no time was left`
      }))
  }

  readonly open: Open = (onBytes) => {
    const link = new RayLink(this.#job(), `replica-${this.#links.length + 1}`, this.#options.killMs, onBytes)
    this.#links.push(link)
    return link
  }

  /** A module of this machine, as the hosts import it. */
  moduleOf(module: string): string {
    return clusterModule(module, this.#options.settings.runtimeEnv)
  }

  /** Ends what there is of it in the cluster, once its hosts have ended. Never rejects. */
  end(limitMs: number): Promise<void> {
    const ms = Math.min(limitMs, endMs)
    this.#ended ??= this.#end(Math.max(0, ms - marginMs))
    return within(this.#ended, ms)
  }

  async #end(limitMs: number): Promise<void> {
    const end = performance.now() + limitMs
    const problems = await Promise.all(this.#jobs.map((job) => job.end(limitMs)))
    // those that could not be seen to be gone before may be now
    await Promise.all(this.#links.map((link) => link.verify(Math.max(0, end - performance.now()))))
    const unseen = this.#links.flatMap(({ actor, pid }) =>
      actor === undefined || actor.killSuccess
        ? []
        : `it could not be seen that actor ${actor.actorId} on node ${actor.nodeId} is DEAD and process ${pid} gone`
    )
    this.#seen = [
      ...problems.flat().map((detail) => ({ kind: "ray-job", detail })),
      ...unseen.map((detail) => ({ kind: "ray-actor", detail }))
    ]
    for (const link of this.#links) link.close()
    this.#api.close()
  }

  #job(): RayJob {
    const last = this.#jobs.at(-1)
    if (last !== undefined && (!last.lost.isOpen || last.stopped.isOpen)) return last
    const job = new RayJob({ ...this.#options, api: this.#api })
    this.#jobs.push(job)
    return job
  }
}
