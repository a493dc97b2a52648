import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { elapsed, now } from "../../base/clock.ts"
import { within } from "../../base/waits.ts"
import type { RayApi } from "./rayApi.ts"

/** The interval at which a cluster is asked. */
const asked = Schedule.spaced("50 millis")

/** The time for which a cluster may leave its actors unknown at the end of a job. */
const silentMs = 2_000

/** The actors that are not DEAD, or nothing where the cluster does not say. */
type Alive = Option.Option<ReadonlyArray<string>>

/** The states of the actors of a Ray job, as Ray tells them. */
export class ActorStates {
  readonly #ask: Effect.Effect<Alive>
  #asking: Fiber.Fiber<Alive> | undefined

  /** `jobId` is the id of the job itself, not that of its submission. */
  constructor(api: Pick<RayApi, "actors">, jobId: string) {
    this.#ask = api.actors(jobId).pipe(
      Effect.map((actors) => actors.filter(({ state }) => state !== "DEAD").map(({ actor_id }) => actor_id)),
      Effect.option
    )
  }

  /** Waits until Ray says that an actor is DEAD. */
  isDead(actorId: string): Effect.Effect<void> {
    return Effect.asVoid(Effect.repeat(this.#alive, {
      schedule: asked,
      until: (alive) => Option.isSome(alive) && !alive.value.includes(actorId)
    }))
  }

  /** Waits until all actors are DEAD; returns those that are not, or `undefined` if the cluster does not say. */
  unended(limitMs: number): Effect.Effect<ReadonlyArray<string> | undefined> {
    return Effect.gen({ self: this }, function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      let last: Alive = Option.none()
      const isOver = (alive: Alive) => {
        last = alive
        return Option.isSome(alive) ? alive.value.length === 0 : elapsed(clock, since) >= silentMs
      }
      yield* within(Effect.repeat(this.#alive, { schedule: asked, until: isOver }), limitMs)
      return Option.getOrUndefined(last)
    })
  }

  /** Questions at one time are one, which goes on even if somebody no longer waits for its answer. */
  get #alive(): Effect.Effect<Alive> {
    return Effect.withFiber((waiting) => {
      if (this.#asking === undefined) {
        const asking = this.#asking = Effect.runForkWith(waiting.context)(this.#ask)
        asking.addObserver(() => this.#asking = undefined)
        return Fiber.join(asking)
      }
      return Fiber.join(this.#asking)
    })
  }
}
