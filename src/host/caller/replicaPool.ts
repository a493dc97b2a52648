import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { elapsed, now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobEvent } from "../../JobEvent.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { Method } from "../contract.ts"
import { HostError } from "../hostError.ts"
import type { RestartPolicy } from "../restartPolicy.ts"
import { LostServices } from "./lostServices.ts"
import { Replica, type ReplicaOptions } from "./replica.ts"
import { startMsOf } from "./replicaState.ts"

export interface ReplicaPoolOptions extends Omit<ReplicaOptions, "onEvent" | "onHeartbeat"> {
  readonly replicas: number
  readonly restart: RestartPolicy
  readonly onEvent: (slot: Slot, event: JobEvent) => void
  readonly onChange: (slot: Slot, change: Change) => void
}

/** A change in the life of one of the hosts of a service. */
export type Change =
  | { readonly _tag: "HostStarted" }
  | { readonly _tag: "HostLost"; readonly error: string }
  | { readonly _tag: "HostRestarting"; readonly attempt: number; readonly delayMs: number }
  | { readonly _tag: "HostUnresponsive" }
  | { readonly _tag: "HostResponsive" }
  | { readonly _tag: "HostKilled"; readonly how: string; readonly killMs: number }

/** A replica and those that replace it, one after the other. */
export interface Slot {
  readonly index: number
  /** The number of slots. */
  readonly of: number
  /** The newest replica. */
  replica: Replica
  restarts: number
  /** The calls that were sent to any of its replicas. */
  used: number
  /** The services that replaced replicas did not release. */
  readonly lost: LostServices
}

/** The state of the pool, which decides about a call to the service. */
type State =
  | { readonly _tag: "Open" }
  /** A replica died and is not replaced: every call fails. */
  | { readonly _tag: "Failed"; readonly error: HostError }
  /** The service is being stopped: every call is refused. */
  | { readonly _tag: "Stopping" }

const open: State = { _tag: "Open" }
const stopping: State = { _tag: "Stopping" }

/** The limit for ending what a replica that died has left behind. */
const clearMs = 2_000

/** The hosts of one service. Each call goes to the least busy of them. */
export class ReplicaPool {
  readonly slots: ReadonlyArray<Slot>
  readonly #options: ReplicaPoolOptions
  #state: State = open
  /** Opens when a replica takes calls again, or none ever will; calls wait for it while no replica is up. */
  #available = new OneShotLatch()

  /** Opens the hosts; `start` waits until they take calls. */
  constructor(options: ReplicaPoolOptions) {
    this.#options = options
    this.slots = Array.from({ length: options.replicas }, (_, index) => {
      // safe: the next line adds the replica, which needs its slot
      const slot = { index, of: options.replicas, restarts: 0, used: 0, lost: new LostServices() } as Slot
      slot.replica = this.#open(slot)
      return slot
    })
  }

  readonly start: Effect.Effect<void, HostError> = Effect.suspend(() =>
    Effect.forEach(
      this.slots,
      // a host that could not start has nothing to release; one whose start was interrupted is stopped as any other is
      (slot) => Effect.tapError(this.#begin(slot), () => slot.replica.kill(clearMs)),
      { concurrency: "unbounded", discard: true }
    )
  )

  /** Replaces the replicas that die, and fails once the restart policy does not replace one. */
  readonly supervise: Effect.Effect<never, HostError> = Effect.suspend(() =>
    Effect.forEach(this.slots, (slot) => this.#supervise(slot), { concurrency: "unbounded" })
  ).pipe(Effect.andThen(Effect.never))

  call(method: Method, payload: unknown): Effect.Effect<unknown, unknown> {
    return Effect.suspend(() => {
      const slot = this.#leastBusy()
      if (slot === undefined) return this.#whenAvailable(() => this.call(method, payload))
      slot.used++
      const { calls } = slot.replica
      const result = calls.call(method, payload)
      if (!method.isIdempotent) return result
      return Effect.catchIf(result, (error) => calls.isLost(error), () => this.call(method, payload))
    })
  }

  stream(method: Method, payload: unknown): Stream.Stream<unknown, unknown> {
    return Stream.suspend(() => {
      const slot = this.#leastBusy()
      if (slot === undefined) {
        return Stream.unwrap(this.#whenAvailable(() => Effect.sync(() => this.stream(method, payload))))
      }
      slot.used++
      return slot.replica.calls.stream(method, payload)
    })
  }

  /** Takes no more calls, and stops all hosts. */
  stop(limitMs: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#close(stopping)
      // a host that is lost does not end the wait for the others
      const stops = Effect.forEach(this.slots, ({ replica }) => Effect.exit(replica.stop(limitMs)), {
        concurrency: "unbounded"
      })
      return Effect.flatMap(stops, (exits) => Exit.asVoidAll(exits))
    })
  }

  /** Kills the hosts that have not ended. */
  kill(limitMs: number): Effect.Effect<Killed> {
    return Effect.suspend(() => {
      this.#close(stopping)
      const { clock } = this.#options
      const since = now(clock)
      const running = this.slots.filter(({ replica }) => !replica.connection.exited.isOpen)
      const kills = Effect.forEach(running, (slot) => this.#kill(slot, limitMs), { concurrency: "unbounded" })
      return Effect.map(kills, (killed) => ({
        gone: killed.every(({ gone }) => gone),
        how: [...new Set(killed.map(({ how }) => how))].join(", "),
        durationMs: elapsed(clock, since)
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
      this.#options.onChange(slot, { _tag: "HostStarted" })
      this.#available.open()
      this.#available = new OneShotLatch()
    })
  }

  #supervise(slot: Slot): Effect.Effect<void, HostError> {
    return Effect.gen({ self: this }, function*() {
      const { clock, onChange, restart } = this.#options
      const step = yield* Schedule.toStep(restart)
      while (true) {
        const { replica } = slot
        yield* replica.connection.exited.await
        if (this.#isStopping) return
        const error = replica.error(startMsOf(replica.state) === undefined ? "start" : "lost", replica.reason)
        onChange(slot, { _tag: "HostLost", error: error.message })
        // the processes that it had started may have outlived it
        yield* replica.kill(clearMs)
        const delay = yield* Pull.catchDone(
          Effect.map(step(clock.currentTimeMillisUnsafe(), error), ([, delay]) => delay),
          () => Effect.undefined
        )
        if (delay === undefined) return yield* this.#fail(error)
        slot.restarts++
        onChange(slot, { _tag: "HostRestarting", attempt: slot.restarts, delayMs: Duration.toMillis(delay) })
        yield* Effect.sleep(delay)
        if (this.#isStopping) return
        slot.lost.add(replica)
        slot.replica = this.#open(slot)
        // a replacement that does not start is lost, and replaced as well
        yield* Effect.catch(this.#begin(slot), () => slot.replica.kill(clearMs))
      }
    })
  }

  #fail(error: HostError): Effect.Effect<never, HostError> {
    this.#close({ _tag: "Failed", error })
    return Effect.fail(error)
  }

  get #isStopping(): boolean {
    return this.#state._tag === "Stopping"
  }

  /** Ends the wait of the calls for a replica. A pool that is being stopped stays so. */
  #close(state: State): void {
    if (!this.#isStopping) this.#state = state
    this.#available.open()
  }

  #leastBusy(): Slot | undefined {
    if (this.#isStopping) return undefined
    let best: Slot | undefined
    for (const slot of this.slots) {
      const { calls, state } = slot.replica
      if (state._tag !== "Up") continue
      if (best === undefined || calls.inFlight < best.replica.calls.inFlight) best = slot
    }
    return best
  }

  #whenAvailable<A>(next: () => Effect.Effect<A, unknown>): Effect.Effect<A, unknown> {
    return Effect.suspend(() => {
      switch (this.#state._tag) {
        case "Stopping":
          return Effect.fail(HostError.of(this.#options.service, "stopped", "it takes no more calls"))
        case "Failed":
          return Effect.fail(this.#state.error)
        case "Open":
          return Effect.flatMap(this.#available.await, next)
      }
    })
  }
}
