import type { Leftover } from "../../StopReport.ts"
import type { Open } from "../link.ts"
import { RayApi } from "./api.ts"
import { RayJob, within } from "./job.ts"
import { RayLink } from "./link.ts"
import type { RaySettings } from "./settings.ts"

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
  #count = 0
  #ended: Promise<void> | undefined
  leftovers: ReadonlyArray<Leftover> = []

  constructor(options: RayHostsOptions) {
    this.#options = options
    this.#api = new RayApi(options.settings)
  }

  readonly open: Open = (onBytes) => new RayLink(this.#job(), `replica-${++this.#count}`, this.#options.killMs, onBytes)

  /** Ends what there is of it in the cluster, once its hosts have ended. Never rejects. */
  end(limitMs: number): Promise<void> {
    const ms = Math.min(limitMs, endMs)
    this.#ended ??= this.#end(Math.max(0, ms - marginMs))
    return within(this.#ended, ms)
  }

  async #end(limitMs: number): Promise<void> {
    const problems = await Promise.all(this.#jobs.map((job) => job.end(limitMs)))
    this.leftovers = problems.flat().map((detail) => ({ kind: "ray-job", detail }))
    this.#api.close()
  }

  #job(): RayJob {
    const last = this.#jobs.at(-1)
    if (last !== undefined && (!last.lost.opened || last.stopped.opened)) return last
    const job = new RayJob({ ...this.#options, api: this.#api })
    this.#jobs.push(job)
    return job
  }
}
