import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { JobEvent } from "../../JobEvent.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Method } from "../contract.ts"
import type { HostError } from "../hostError.ts"
import type { Killed } from "../../process/processGroup.ts"
import { Replica, type ReplicaOptions } from "./replica.ts"

export type Restart = Schedule.Schedule<unknown, HostError>

export interface PoolOptions extends Omit<ReplicaOptions, "onEvent" | "onHeartbeat"> {
  readonly replicas: number
  readonly restart: Restart
  readonly onEvent: (slot: Slot, event: JobEvent) => void
  readonly onChange: (slot: Slot, change: Change) => void
}

/** What happens to the hosts of a service. */
export type Change =
  | { readonly _tag: "HostStarted" }
  | { readonly _tag: "HostLost"; readonly error: string }
  | { readonly _tag: "HostRestarting"; readonly attempt: number; readonly delayMs: number }
  | { readonly _tag: "HostUnresponsive" }
  | { readonly _tag: "HostResponsive" }
  | { readonly _tag: "HostKilled"; readonly how: string; readonly killMs: number }

/** The place of one replica: those that die are replaced. */
export interface Slot {
  readonly index: number
  /** How many there are. */
  readonly of: number
  replica: Replica
  isUp: boolean
  restarts: number
  used: number
}

/** The hosts of one service, and the way to the least busy of them. */
export class Pool {
  readonly #options: PoolOptions
  readonly slots: ReadonlyArray<Slot>
  /** Opens when a replica takes calls again, where none does. */
  #available = new OneShotLatch()
  #failed: HostError | undefined
  #stopping = false

  /** Starts the hosts; `start` waits for them. */
  constructor(options: PoolOptions) {
    this.#options = options
    this.slots = Array.from({ length: options.replicas }, (_, index) => {
      // safe: its replica is made of it in the next line
      const slot = { index, of: options.replicas, isUp: false, restarts: 0, used: 0 } as Slot
      slot.replica = this.#open(slot)
      return slot
    })
  }

  readonly start: Effect.Effect<void, HostError> = Effect.suspend(() =>
    Effect.forEach(
      this.slots,
      // one that could not start is not asked for anything more
      (slot) => Effect.onError(this.#begin(slot), () => slot.replica.kill(killMs)),
      { concurrency: "unbounded", discard: true }
    )
  )

  /** Replaces the replicas that die, and fails once that is no use. */
  readonly supervise: Effect.Effect<never, HostError> = Effect.suspend(() =>
    Effect.forEach(this.slots, (slot) => this.#supervise(slot), { concurrency: "unbounded" })
  ).pipe(Effect.andThen(Effect.never))

  call(method: Method, payload: unknown): Effect.Effect<unknown, unknown> {
    return Effect.suspend(() => {
      const slot = this.#leastBusy()
      if (slot === undefined) return this.#whenAvailable(() => this.call(method, payload))
      slot.used++
      const { replica } = slot
      const result = replica.caller.call(method, payload)
      if (!method.isIdempotent) return result
      return Effect.catchIf(result, (error) => replica.caller.hasLost(error), () => this.call(method, payload))
    })
  }

  stream(method: Method, payload: unknown): Stream.Stream<unknown, unknown> {
    return Stream.suspend(() => {
      const slot = this.#leastBusy()
      if (slot === undefined) {
        return Stream.unwrap(this.#whenAvailable(() => Effect.sync(() => this.stream(method, payload))))
      }
      slot.used++
      return slot.replica.caller.stream(method, payload)
    })
  }

  /** Takes no more calls, and stops all hosts. */
  stop(limitMs: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#stopping = true
      this.#available.open()
      // one that is lost does not keep anybody from waiting for the others
      const stops = Effect.forEach(this.slots, ({ replica }) => Effect.exit(replica.stop(limitMs)), {
        concurrency: "unbounded"
      })
      return Effect.flatMap(stops, (exits) => Exit.asVoidAll(exits))
    })
  }

  /** Kills what still runs. */
  kill(limitMs: number): Effect.Effect<Killed> {
    return Effect.suspend(() => {
      this.#stopping = true
      const since = performance.now()
      const rest = this.slots.filter(({ replica }) => !replica.link.exited.isOpen)
      const kills = Effect.forEach(rest, (slot) => this.#kill(slot, limitMs), { concurrency: "unbounded" })
      return Effect.map(kills, (killed) => ({
        gone: killed.every(({ gone }) => gone),
        how: [...new Set(killed.map(({ how }) => how))].join(", "),
        durationMs: performance.now() - since
      }))
    })
  }

  #kill(slot: Slot, limitMs: number): Effect.Effect<Killed> {
    return Effect.tap(
      slot.replica.kill(limitMs),
      ({ durationMs, how }) =>
        Effect.sync(() => this.#options.onChange(slot, { _tag: "HostKilled", how, killMs: Math.round(durationMs) }))
    )
  }

  #open(slot: Slot): Replica {
    const { onChange, onEvent, ...options } = this.#options
    return new Replica({
      ...options,
      onEvent: (event) => onEvent(slot, event),
      onHeartbeat: (responsive) => onChange(slot, { _tag: responsive ? "HostResponsive" : "HostUnresponsive" })
    })
  }

  #begin(slot: Slot): Effect.Effect<void, HostError> {
    return Effect.map(slot.replica.start, () => {
      slot.isUp = true
      this.#options.onChange(slot, { _tag: "HostStarted" })
      this.#available.open()
      this.#available = new OneShotLatch()
    })
  }

  #supervise(slot: Slot): Effect.Effect<void, HostError> {
    return Effect.gen({ self: this }, function*() {
      const step = yield* Schedule.toStep(this.#options.restart)
      while (true) {
        yield* slot.replica.link.exited.await
        slot.isUp = false
        if (this.#stopping) return
        const { replica } = slot
        const error = replica.error(replica.startMs === 0 ? "start" : "lost", replica.why)
        this.#options.onChange(slot, { _tag: "HostLost", error: error.message })
        // what it had started is still there
        yield* replica.kill(killMs)
        const next = yield* Pull.catchDone(
          Effect.map(step(Date.now(), error), ([, delay]) => delay),
          () => Effect.undefined
        )
        if (next === undefined) return yield* this.#giveUp(error)
        slot.restarts++
        this.#options.onChange(slot, {
          _tag: "HostRestarting",
          attempt: slot.restarts,
          delayMs: Duration.toMillis(next)
        })
        yield* Effect.sleep(next)
        if (this.#stopping) return
        slot.replica = this.#open(slot)
        // one that does not start is lost again
        yield* Effect.catch(this.#begin(slot), () => slot.replica.kill(killMs))
      }
    })
  }

  #giveUp(error: HostError): Effect.Effect<never, HostError> {
    this.#failed = error
    this.#available.open()
    return Effect.fail(error)
  }

  #leastBusy(): Slot | undefined {
    let best: Slot | undefined
    for (const slot of this.slots) {
      const { caller, link } = slot.replica
      if (!slot.isUp || link.exited.isOpen) continue
      if (best === undefined || caller.inFlight < best.replica.caller.inFlight) best = slot
    }
    return this.#stopping ? undefined : best
  }

  #whenAvailable<A>(next: () => Effect.Effect<A, unknown>): Effect.Effect<A, unknown> {
    return Effect.suspend(() => {
      if (this.#stopping) return Effect.fail(this.slots[0]?.replica.error("stopped", "it takes no more calls"))
      if (this.#failed !== undefined) return Effect.fail(this.#failed)
      return Effect.flatMap(this.#available.await, next)
    })
  }
}

/** How long it may take to clear away a host that died. */
const killMs = 2_000
