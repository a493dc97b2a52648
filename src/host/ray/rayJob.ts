import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { randomBytes } from "node:crypto"
import { elapsed, now } from "../../base/clock.ts"
import { messageOf } from "../../base/errorText.ts"
import { valueText } from "../../base/valueText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { within } from "../../base/waits.ts"
import { ActorStates } from "./actorStates.ts"
import { isAddress, type Message } from "./keyedConnection.ts"
import { isFinal } from "./rayApi.ts"
import { type Driver, type RayJobOptions, startDriver, withAdvice } from "./rayDriver.ts"
import { onFailure, RayError } from "./rayError.ts"
import {
  actorsOf,
  announced,
  ended,
  ending,
  isReplaced,
  lost,
  preparing,
  type RayJobState,
  running,
  stopped,
  submitted
} from "./rayJobState.ts"

/** The interval at which a cluster is asked whether a job has ended. */
const polled = Schedule.spaced("50 millis")

/** The interval at which a cluster is asked whether a job that was deleted is back, in milliseconds. */
const deletedPollMs = 100

/** The time for which Ray looks after a job that has ended, in milliseconds. */
const lookedAfterMs = 3_500

/** The address of the guard of an actor. */
export interface GuardAddress {
  readonly host: string
  readonly port: number
  readonly actorId: string
  readonly nodeId: string
}

/** A guard, and the key of the connections with it. */
export interface Guarded {
  readonly guard: GuardAddress
  readonly key: Uint8Array
}

/** Runs an effect on a fiber that belongs to no job: the end of an actor goes on even if nobody waits for it any longer. */
export type Fork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>

/** One job of a Ray cluster: the actors of one service. */
export class RayJob {
  readonly id: string
  /** Opens once there is no driver any longer. */
  readonly lost = new OneShotLatch()
  /** Opens when the job is stopped by someone else than its owner. */
  readonly stopped = new OneShotLatch()
  readonly #options: RayJobOptions
  readonly #listeners = new Map<string, (message: Message) => void>()
  readonly #starting: Fiber.Fiber<void>
  /** Opens when the job has a driver, or never will. */
  readonly #begun = new OneShotLatch()
  #state: RayJobState = preparing

  constructor(options: RayJobOptions, fork: Fork) {
    this.#options = options
    const { service } = options
    this.id = `autostop-${service.replace(/[^A-Za-z0-9]+/g, "-")}-${randomBytes(6).toString("hex")}`
    this.#starting = fork(this.#start)
  }

  get limitMs(): number {
    return this.#options.limitMs
  }

  /** Returns true if hosts that start now need another job. */
  get isReplaced(): boolean {
    return isReplaced(this.#state)
  }

  /** Creates an actor, and returns the address of its guard. Later messages about it go to the listener. */
  create(name: string, listen: (message: Message) => void): Effect.Effect<Guarded, RayError> {
    return Effect.flatMap(this.#begun.await, () => {
      if (this.#state._tag !== "Running") return Effect.fail(this.#noActors())
      const { driver: { connection, key } } = this.#state
      return Effect.callback<Guarded, RayError>((resume) => {
        const off = this.lost.onOpen(() => resume(Effect.fail(this.#noActors())))
        this.#listeners.set(name, (message) => {
          const { dead, place } = message
          if (place === undefined && dead === undefined) return listen(message)
          off()
          this.#listeners.set(name, listen)
          if (place === undefined) return resume(Effect.fail(RayError.of(messageOf(dead))))
          const guard = guardIn(place)
          if (typeof guard === "object") return resume(Effect.succeed({ guard, key }))
          resume(Effect.fail(RayError.of(withAdvice(guard, this.#options.settings))))
        })
        connection.say({ ask: "create", name })
        return Effect.sync(() => {
          off()
          // the actor may come all the same
          this.#listeners.set(name, ({ place }) => {
            if (place !== undefined) this.kill(name)
          })
        })
      })
    })
  }

  /** Says what an actor that was not created yet asks for, and what the cluster has, as the end of a sentence. */
  get lacks(): Effect.Effect<string> {
    const asked = JSON.stringify(this.#options.settings.actor)
    return Effect.map(Effect.option(this.#options.api.nodes()), (nodes) => {
      const there = Option.isNone(nodes) ? "not known" : JSON.stringify(nodes.value)
      return `; its actor was not created yet: it asks for ${asked}, and what the nodes of the cluster have is ${there}`
    })
  }

  /** Kills an actor, with no restart. One that was not asked for yet is not created. */
  kill(name: string): void {
    if ("driver" in this.#state) this.#state.driver?.connection.say({ ask: "kill", name })
  }

  /** Waits until Ray says that an actor is DEAD. */
  isDead(actorId: string): Effect.Effect<void> {
    return Effect.suspend(() => actorsOf(this.#state)?.isDead(actorId) ?? Effect.never)
  }

  /** Ends the job and deletes it. Returns what was not seen to end. */
  end(limitMs: number): Effect.Effect<ReadonlyArray<string>> {
    return Effect.gen({ self: this }, function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      const left = () => Math.max(0, limitMs - elapsed(clock, since))
      this.#become(ending(this.#state))
      const state = this.#state
      // a submit under way has its answer first
      yield* within(Fiber.interrupt(this.#starting), left())
      if (state._tag !== "Ending") return []
      const problems = yield* this.#endSubmitted(state, left)
      state.driver?.connection.socket.destroy()
      this.#become(ended(this.#state))
      return problems
    })
  }

  #endSubmitted(
    { actors, driver }: Extract<RayJobState, { readonly _tag: "Ending" }>,
    left: () => number
  ): Effect.Effect<ReadonlyArray<string>> {
    return Effect.gen({ self: this }, function*() {
      const { api } = this.#options
      if (driver === undefined) {
        const known = yield* within(Effect.orElseSucceed(api.hasJob(this.id), () => true), left())
        // the cluster refused the job
        if (Option.isSome(known) && !known.value) return []
      }
      const problems: Array<string> = []
      const tryTo = (what: string, act: Effect.Effect<unknown, RayError>) =>
        within(act, left()).pipe(
          Effect.match({
            onFailure: ({ message }) => [message],
            onSuccess: (done) => Option.isSome(done) ? [] : ["there was no time left"]
          }),
          Effect.map((reasons) => problems.push(...reasons.map((why) => `the Ray job ${this.id} ${what}: ${why}`)))
        )
      if (driver === undefined) yield* tryTo("could not be stopped", api.stop(this.id))
      else driver.connection.say({ ask: "end" })
      yield* tryTo("was not seen to end", Effect.repeat(api.job(this.id), { schedule: polled, until: isFinal }))
      const alive = actors === undefined ? [] : yield* actors.unended(left())
      if (alive === undefined) {
        problems.push(`of the Ray job ${this.id} it could not be seen whether its actors are DEAD`)
      } else for (const actorId of alive) problems.push(`actor ${actorId} of the Ray job ${this.id} is not DEAD`)
      if (problems.length === 0) yield* tryTo("could not be deleted", this.#delete(left() - 2 * deletedPollMs))
      return problems
    })
  }

  /**
   * Deletes the job. Ray looks at each job every few seconds, and brings one that was deleted in between back as failed:
   * that one is deleted again. Without time for that it stays, as failed.
   */
  #delete(limitMs: number): Effect.Effect<void, RayError> {
    const { api } = this.#options
    const pause = Duration.millis(deletedPollMs)
    const isBack = Effect.repeat(Effect.delay(api.hasJob(this.id), pause), { until: (known) => known })
    return Effect.gen({ self: this }, function*() {
      yield* api.delete(this.id)
      const back = yield* within(isBack, Math.min(Math.max(0, limitMs), lookedAfterMs))
      if (Option.isSome(back)) yield* api.delete(this.id)
    })
  }

  get #start(): Effect.Effect<void> {
    const start = startDriver(this.id, this.#options, {
      onSubmit: () => this.#become(submitted(this.#state)),
      onJobId: (jobId) => this.#become(announced(this.#state, new ActorStates(this.#options.api, jobId))),
      onDriver: (driver) => this.#own(driver)
    })
    return Effect.ensuring(onFailure(start, (why) => this.#lose(why)), Effect.sync(() => this.#begun.open()))
  }

  #own(driver: Driver): void {
    const { connection } = driver
    this.#become(running(this.#state, driver))
    // its owner ends the job, and does not know of this driver
    if (this.#state._tag !== "Running") return void connection.socket.destroy()
    connection.listen((message) => {
      const { name, over } = message
      if (over !== true) return typeof name === "string" ? this.#listeners.get(name)?.(message) : undefined
      this.#become(stopped(this.#state))
      if (this.#state._tag === "Stopped") this.stopped.open()
    })
    connection.closed.onOpen(() => this.#lose(`the Ray job ${this.id} has ended`))
  }

  #lose(why: string): void {
    this.#become(lost(this.#state, why))
    this.lost.open()
  }

  #become(state: RayJobState): void {
    this.#state = state
  }

  #noActors(): RayError {
    const state = this.#state
    if (state._tag === "Stopped" || (state._tag === "Lost" && state.after === "stop")) {
      return RayError.of(`the Ray job ${this.id} was stopped`)
    }
    return RayError.of("why" in state ? state.why : "it was stopped while it started")
  }
}

/** Reads where a driver says that a guard is. Returns why there is none, if it is not there. */
const guardIn = (place: unknown): GuardAddress | string => {
  if (typeof place !== "object" || place === null) return "the driver did not say where its guard is"
  const { actorId, error, nodeId } = place as Readonly<Record<string, unknown>> // safe: it is an object
  if (typeof error === "string") return error
  return isAddress(place) && typeof actorId === "string" && typeof nodeId === "string"
    ? { host: place.host, port: place.port, actorId, nodeId }
    : `the driver gave no address of its guard: ${valueText(place, 200)}`
}
