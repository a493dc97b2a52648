import * as Effect from "effect/Effect"
import type { Leftover } from "../../StopReport.ts"
import type { OpenHost, Transport } from "../caller/hostConnection.ts"
import type { HostLimits } from "../caller/remoteService.ts"
import type { RaySettings } from "../raySettings.ts"
import { within } from "./boundedWait.ts"
import { RayApi } from "./rayApi.ts"
import { RayConnection } from "./rayConnection.ts"
import { RayJob } from "./rayJob.ts"
import { clusterModule } from "./runtimeEnv.ts"

/** How long the Ray job may take to end, and to be deleted, once its actors have ended. */
const endMs = 8_000

/** What is kept of that to report the result. */
const marginMs = 250

/** The hosts of one service in a Ray cluster: actors of one Ray job, which is replaced if it is lost. */
export class RayTransport implements Transport {
  readonly #settings: RaySettings
  readonly #limits: HostLimits
  readonly #api: RayApi
  readonly #jobs: Array<RayJob> = []
  readonly #connections: Array<RayConnection> = []
  #ended: Promise<void> | undefined
  #leftovers: ReadonlyArray<Leftover> | undefined

  constructor(settings: RaySettings, limits: HostLimits) {
    this.#settings = settings
    this.#limits = limits
    this.#api = new RayApi(settings)
  }

  readonly open: OpenHost = (onBytes) => {
    const name = `replica-${this.#connections.length + 1}`
    const connection = new RayConnection(this.#job(), name, this.#limits.killMs, onBytes)
    this.#connections.push(connection)
    return connection
  }

  readonly moduleOf = (module: string): string => clusterModule(module, this.#settings.runtimeEnv)

  readonly end = (limitMs: number): Effect.Effect<void> =>
    Effect.promise(() => {
      const ms = Math.min(limitMs, endMs)
      this.#ended ??= this.#end(Math.max(0, ms - marginMs))
      return within(this.#ended, ms)
    })

  /** Until `end` has checked what is left, every job counts as a leftover. */
  readonly leftovers = (): ReadonlyArray<Leftover> =>
    this.#leftovers ??
      this.#jobs.map(({ id }) => ({
        kind: "ray-job",
        detail: `the Ray job ${id} was not seen to end: no time was left`
      }))

  async #end(limitMs: number): Promise<void> {
    const end = performance.now() + limitMs
    const problems = await Promise.all(this.#jobs.map((job) => job.end(limitMs)))
    // an actor that was not seen to be gone before may be now
    await Promise.all(this.#connections.map((connection) => connection.verify(Math.max(0, end - performance.now()))))
    const unseen = this.#connections.flatMap(({ actor, pid }) =>
      actor === undefined || actor.killSuccess
        ? []
        : `it could not be seen that actor ${actor.actorId} on node ${actor.nodeId} is DEAD and process ${pid} gone`
    )
    this.#leftovers = [
      ...problems.flat().map((detail) => ({ kind: "ray-job", detail })),
      ...unseen.map((detail) => ({ kind: "ray-actor", detail }))
    ]
    for (const connection of this.#connections) connection.close()
    this.#api.close()
  }

  #job(): RayJob {
    const last = this.#jobs.at(-1)
    if (last !== undefined && (!last.lost.isOpen || last.stopped.isOpen)) return last
    const { releaseMs, service } = this.#limits
    const job = new RayJob({ api: this.#api, settings: this.#settings, service, limitMs: releaseMs })
    this.#jobs.push(job)
    return job
  }
}
