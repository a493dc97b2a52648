import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { elapsed, now, realClock } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import type { Leftover } from "../../StopReport.ts"
import type { OpenHost, Transport } from "../caller/hostConnection.ts"
import type { HostLimits } from "../caller/remoteService.ts"
import type { RaySettings } from "../raySettings.ts"
import { RayApi } from "./rayApi.ts"
import { RayConnection } from "./rayConnection.ts"
import { type Fork, RayJob } from "./rayJob.ts"
import { ended, ending, open, type RayTransportState } from "./rayTransportState.ts"
import { clusterModule } from "./runtimeEnv.ts"

/** The time that the Ray job has to end, and to be deleted, once its actors have ended. */
const endMs = 8_000

/** The part of that which is kept to report the result. */
const marginMs = 250

/** The hosts of one service in a Ray cluster: actors of one Ray job, which is replaced if it is lost. */
export class RayTransport implements Transport {
  readonly #settings: RaySettings
  readonly #limits: HostLimits
  readonly #api: RayApi
  readonly #fork: Fork
  readonly #jobs: Array<RayJob> = []
  readonly #connections: Array<RayConnection> = []
  readonly #ended = new OneShotLatch()
  #state: RayTransportState = open

  /** A cluster runs by the real clock: it would never answer somebody who waits by a TestClock that nobody moves. */
  constructor(settings: RaySettings, limits: HostLimits, clock: Clock.Clock = realClock) {
    this.#settings = settings
    this.#limits = limits
    this.#api = new RayApi(settings)
    this.#fork = Effect.runForkWith(Context.make(Clock.Clock, clock))
  }

  readonly open: OpenHost = (onBytes) => {
    const name = `replica-${this.#connections.length + 1}`
    const { killMs } = this.#limits
    const connection = new RayConnection({ job: this.#job(), name, killMs, fork: this.#fork, onBytes })
    this.#connections.push(connection)
    return connection
  }

  readonly moduleOf = (module: string): string => clusterModule(module, this.#settings.runtimeEnv)

  /** The first limit is that of the end; a later call waits for it no longer than its own. */
  readonly end = (limitMs: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const ms = Math.min(limitMs, endMs)
      if (this.#state._tag === "Open") {
        this.#state = ending(this.#state)
        this.#fork(this.#end(Math.max(0, ms - marginMs)))
      }
      return Effect.asVoid(waitFor(this.#ended, ms))
    })

  /** Every job counts as a leftover until `end` has checked what is left. */
  readonly leftovers = (): ReadonlyArray<Leftover> =>
    this.#state._tag === "Ended"
      ? this.#state.leftovers
      : this.#jobs.map(({ id }) => ({
        kind: "ray-job",
        detail: `the Ray job ${id} was not seen to end: no time was left`
      }))

  #end(limitMs: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      const problems = yield* Effect.forEach(this.#jobs, (job) => job.end(limitMs), { concurrency: "unbounded" })
      // an actor that was not seen to be gone before may be now
      yield* Effect.forEach(this.#connections, (connection) => connection.verify(limitMs - elapsed(clock, since)), {
        concurrency: "unbounded",
        discard: true
      })
      const unseen = this.#connections.flatMap(({ actor, pid }) =>
        actor === undefined || actor.killSuccess
          ? []
          : `it could not be seen that actor ${actor.actorId} on node ${actor.nodeId} is DEAD and process ${pid} gone`
      )
      this.#state = ended(this.#state, [
        ...problems.flat().map((detail) => ({ kind: "ray-job", detail })),
        ...unseen.map((detail) => ({ kind: "ray-actor", detail }))
      ])
      for (const connection of this.#connections) connection.close()
      this.#api.close()
      this.#ended.open()
    })
  }

  /** The job for a host that starts now. */
  #job(): RayJob {
    const last = this.#jobs.at(-1)
    if (last !== undefined && !last.isReplaced) return last
    const { releaseMs, service } = this.#limits
    const job = new RayJob({ api: this.#api, settings: this.#settings, service, limitMs: releaseMs }, this.#fork)
    this.#jobs.push(job)
    return job
  }
}
