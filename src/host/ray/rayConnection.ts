import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { elapsed, now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor, within } from "../../base/waits.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { Actor, HostConnection } from "../caller/hostConnection.ts"
import { dial } from "./dial.ts"
import type { KeyedConnection, Message } from "./keyedConnection.ts"
import * as actor from "./rayActorState.ts"
import { onFailure, type RayError } from "./rayError.ts"
import { type HostEnd, RayGuard } from "./rayGuard.ts"
import * as host from "./rayHostState.ts"
import { securedSocket } from "../wire/securedSocket.ts"
import type { Fork, RayJob } from "./rayJob.ts"

/** The interval at which a cluster is asked what an actor that was not created yet waits for. */
const pending = "1 second"

/** The addition to the limit of a host that ends by itself because its actor or its guard is gone. */
const graceMs = 3_000

export interface RayConnectionOptions {
  readonly job: Pick<RayJob, "create" | "isDead" | "kill" | "lacks" | "limitMs" | "lost" | "stopped">
  /** The name of the actor. */
  readonly name: string
  readonly killMs: number
  readonly fork: Fork
  readonly onBytes: (bytes: Uint8Array) => void
}

/** A host that is the Node process of a Ray actor. Its calls do not pass through Ray. */
export class RayConnection implements HostConnection {
  readonly exited = new OneShotLatch()
  readonly #options: RayConnectionOptions
  #host: host.RayHostState = host.opening
  #actor: actor.RayActorState = actor.requested
  /** The bytes to send once the host is open. */
  #unsent: Array<Uint8Array> = []
  #stderr = ""
  readonly #processesGone = new OneShotLatch()
  readonly #closed = new OneShotLatch()

  constructor(options: RayConnectionOptions) {
    this.#options = options
    options.fork(Effect.raceFirst(onFailure(this.#open, (why) => this.#exit(why)), this.exited.await))
  }

  get pid(): number | undefined {
    return host.pidOf(this.#host)
  }

  get actor(): Actor | undefined {
    return actor.actorOf(this.#actor)
  }

  readonly exit = (): string => this.#host._tag === "Exited" ? this.#host.how : "it has not ended"

  readonly stderr = (): string => this.#stderr

  readonly leftover = (): string | undefined => "leftover" in this.#host ? this.#host.leftover : undefined

  readonly waitsFor = (): string => this.#actor._tag === "Requested" ? this.#actor.lacks : ""

  readonly send = (bytes: Uint8Array): void => {
    const state = this.#host
    switch (state._tag) {
      case "Open":
      case "Losing":
        if (state.data.writable) state.data.write(Buffer.from(bytes))
        return
      case "Ended":
      case "Exited":
        return
      default:
        this.#unsent.push(Buffer.from(bytes))
    }
  }

  readonly clear: Effect.Effect<void> = Effect.suspend(() => Effect.asVoid(this.verify(this.#options.killMs)))

  readonly kill = (limitMs: number): Effect.Effect<Killed> => this.#detached(this.#kill(limitMs))

  /** Kills the actor, and waits until Ray says that it is DEAD and its processes are gone; false if the time is up. */
  verify(limitMs: number): Effect.Effect<boolean> {
    return this.#detached(Effect.suspend(() => {
      const { job, name } = this.#options
      job.kill(name)
      const { actor: found } = this
      if (found === undefined || found.killSuccess) return Effect.succeed(true)
      const seen = Effect.andThen(this.#processesGone.await, job.isDead(found.actorId))
      return Effect.map(within(seen, Math.max(0, limitMs)), (isSeen) => {
        if (Option.isNone(isSeen)) return false
        this.#become(this.#host, actor.dead(this.#actor))
        return true
      })
    }))
  }

  /** Ends the connection with the guard. */
  close(): void {
    this.#closed.open()
    host.guardOf(this.#host)?.close()
  }

  /** Runs what ends a host: it goes on even if nobody waits for it any longer. */
  #detached<A>(effect: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.suspend(() => Fiber.join(this.#options.fork(effect)))
  }

  get #open(): Effect.Effect<void, RayError> {
    return Effect.gen({ self: this }, function*() {
      const { job, name } = this.#options
      const asking = Effect.forever(
        Effect.tap(
          Effect.delay(job.lacks, pending),
          (text) => Effect.sync(() => this.#become(this.#host, actor.lacking(this.#actor, text)))
        )
      )
      const create = job.create(name, (message) => this.#onDriverMessage(message))
      const { guard: address, key } = yield* Effect.raceFirst(create, asking)
      const { actorId, nodeId } = address
      this.#become(this.#host, actor.created(this.#actor, { actorId, nodeId }))
      yield* dial(address, key, "guard", (guard) => this.#takeGuard(guard))
      yield* dial(address, key, "data", (connection, secret) => {
        // the host answers once it has started; what is written meanwhile waits
        const data = securedSocket(connection.release(), secret, "client")
        this.#become(host.connected(this.#host, data))
        if (host.dataOf(this.#host) !== data) data.destroy()
      })
    })
  }

  #takeGuard(connection: KeyedConnection): void {
    const { job } = this.#options
    const guard = new RayGuard(connection)
    this.#become(host.guarded(this.#host, guard))
    if (host.guardOf(this.#host) !== guard) return guard.close()
    guard.listen({
      onStarted: (pid) => this.#become(host.started(this.#host, pid)),
      onEnded: (end, gone) => this.#end(end, gone),
      onWorkerGone: () => this.#become(this.#host, actor.workerGone(this.#actor)),
      onStderr: (text) => this.#stderr = text,
      onLost: () => this.#become(host.losing(this.#host, "its guard was lost"))
    })
    // an actor without the driver of its job has ended
    job.lost.onOpen(() => {
      guard.stop()
      this.#become(host.losing(this.#host, "the driver of its Ray job was lost"))
    })
    job.stopped.onOpen(() => this.#become(host.losing(this.#host, "its Ray job was stopped")))
  }

  #onDriverMessage({ dead, ended }: Message): void {
    if (typeof dead === "string") this.#become(host.losing(this.#host, `its actor has died: ${dead}`))
    // without its guard the actor has seen the end of the process
    if (typeof ended === "object" && ended !== null) {
      const gone = "gone" in ended && ended.gone === true
      host.guardOf(this.#host)?.onClosed(() => this.#end({ how: "it has ended" }, gone))
    }
  }

  #end(end: HostEnd, gone: boolean): void {
    this.#become(host.hostEnded(this.#host, end), gone ? actor.hostGone(this.#actor) : this.#actor)
  }

  #exit(how: string): void {
    this.#become(host.exited(this.#host, how))
  }

  /** Enters the next states, and does what belongs to them. */
  #become(next: host.RayHostState, nextActor = this.#actor): void {
    const before = this.#host
    this.#host = next
    this.#actor = nextActor
    if (nextActor._tag === "ProcessesGone") this.#processesGone.open()
    if (next._tag === before._tag) return
    switch (next._tag) {
      case "Open":
        return this.#begin(next)
      case "Losing":
        return void this.#options.fork(this.#limit)
      case "Ended":
        if (next.data.closed) this.#become(host.drained(next))
        return
      case "Exited":
        this.#unsent = []
        host.dataOf(before)?.destroy()
        return this.exited.open()
    }
  }

  #begin({ data }: Extract<host.RayHostState, { readonly _tag: "Open" }>): void {
    for (const bytes of this.#unsent.splice(0)) this.send(bytes)
    data.on("data", this.#options.onBytes)
    data.resume()
    data.once("close", () => this.#become(host.drained(this.#host)))
  }

  /** Waits no longer for a host that should have cleaned up and ended. */
  get #limit(): Effect.Effect<void> {
    return Effect.map(waitFor(this.exited, this.#options.job.limitMs + graceMs, this.#closed), (why) => {
      if (why === "time") this.#exit("it did not end")
    })
  }

  #kill(limitMs: number): Effect.Effect<Killed> {
    return Effect.gen({ self: this }, function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      const killed = yield* this.#killHost(limitMs)
      const gone = yield* this.verify(Math.max(this.#options.killMs, limitMs) - elapsed(clock, since))
      this.#exit(killed.how)
      return { gone: killed.gone && gone, how: killed.how, durationMs: elapsed(clock, since) }
    })
  }

  #killHost(limitMs: number): Effect.Effect<Killed> {
    return Effect.suspend(() => {
      const guard = host.guardOf(this.#host)
      if (actor.isHostGone(this.#actor)) return Effect.succeed({ gone: true, how: "it was gone", durationMs: 0 })
      if (guard === undefined) return Effect.succeed({ gone: true, how: "nothing to kill", durationMs: 0 })
      return Effect.map(guard.kill(limitMs), (killed) => {
        if (killed.gone) this.#end({ how: killed.how }, true)
        return killed
      })
    })
  }
}
