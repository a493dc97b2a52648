import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { elapsed, now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import { JobEvent } from "../../JobEvent.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { ServiceReport } from "../../StopReport.ts"
import { HostError } from "../hostError.ts"
import { readResult, sendStop } from "../wire/farewell.ts"
import { FrameReader, FrameWriter, readJson, Reply, Request } from "../wire/frames.ts"
import { type Init, readStartFailed, sendInit } from "../wire/handshake.ts"
import { readMeasurements } from "../wire/measurements.ts"
import { Heartbeat } from "./heartbeat.ts"
import type { HostConnection, OpenHost } from "./hostConnection.ts"
import type { ObservedCalls } from "./observedCalls.ts"
import { PendingCalls } from "./pendingCalls.ts"
import {
  broken,
  exited,
  finished,
  killed,
  released,
  type ReplicaState,
  startFailed,
  starting,
  startMsOf,
  stopping,
  up
} from "./replicaState.ts"

export interface ReplicaOptions {
  readonly open: OpenHost
  /** The name of the service in the report. */
  readonly service: string
  readonly init: Init
  /** The limit of the start, in milliseconds. */
  readonly startLimitMs: number
  /** The interval of the heartbeat, in milliseconds. */
  readonly heartbeatMs: number
  readonly clock: Clock.Clock
  /** The telemetry of its calls, if that is on. */
  readonly observer?: ObservedCalls | undefined
  readonly onEvent: (event: JobEvent) => void
  /** The event loop of the host is blocked, or turns again. */
  readonly onHeartbeat: (responsive: boolean) => void
}

/** The share of the limit of a stop that calls in flight may take. */
const drainShare = 0.5

/** The share of the remaining limit that the host has: it needs the rest to send its result and to exit. */
const releaseShare = 0.9

/** The limit of the kill of a host that sends what is no frame, in milliseconds. */
const brokenKillMs = 2_000

const isEvent = Schema.is(JobEvent)

/** One host of a service, from its start to its end. */
export class Replica {
  readonly calls: PendingCalls
  readonly connection: HostConnection
  /** The services within the host, as far as it has reported them. */
  readonly inner = new Map<string, ServiceReport>()
  readonly #options: ReplicaOptions
  readonly #writer: FrameWriter
  readonly #heartbeat: Heartbeat
  readonly #ready = new OneShotLatch()
  readonly #startedAt: number
  #state: ReplicaState = starting

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.#startedAt = now(options.clock)
    const reader = new FrameReader(
      (operation, id, _, body) => this.#receive(operation, id, body),
      (why) => this.#broken(why)
    )
    this.connection = options.open((bytes) => reader.feed(bytes))
    this.#writer = new FrameWriter(this.connection.send)
    this.calls = new PendingCalls(this.#writer, options.observer)
    this.#heartbeat = new Heartbeat(options.heartbeatMs, () => this.#writer.write(Request.ping), (responsive) => {
      if (responsive) this.calls.hostResponsive()
      else this.calls.hostBlocked()
      options.onHeartbeat(responsive)
    })
    sendInit(this.#writer, options.init)
    this.connection.exited.onOpen(() => {
      const state = this.#state = exited(this.#state, this.connection.exit())
      this.calls.hostLost(
        state._tag === "Exited" && state.stopped
          ? this.error("stopped", "the limit of its stop left no more time for the call")
          : this.error("lost", this.reason)
      )
    })
  }

  get state(): ReplicaState {
    return this.#state
  }

  /** Waits until the host takes calls. */
  readonly start: Effect.Effect<void, HostError> = Effect.suspend(() => {
    const { startLimitMs } = this.#options
    return Effect.flatMap(waitFor(this.#ready, startLimitMs, this.connection.exited), (why) => {
      if (why === "time") {
        const waitsFor = this.connection.waitsFor?.() ?? ""
        this.#state = startFailed(this.#state, `it was not ready within ${startLimitMs} ms${waitsFor}`)
      }
      if (why === "ended" || startMsOf(this.#state) !== undefined) return this.#beat
      const stderr = this.connection.stderr()
      const { reason } = this
      return Effect.fail(this.error("start", stderr === "" ? reason : `${reason}; its stderr ends with:\n${stderr}`))
    })
  })

  /** The reason why the host ended or could not start, as well as it is known. */
  get reason(): string {
    return "reason" in this.#state && this.#state.reason !== undefined ? this.#state.reason : this.connection.exit()
  }

  error(reason: HostError["reason"], message: string): HostError {
    return HostError.of(this.#options.service, reason, message)
  }

  /**
   * Lets the calls in flight end, asks the host to release its services, and waits for its exit. Dies if the host ended
   * without doing so.
   */
  stop(limitMs: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { clock } = this.#options
      const since = now(clock)
      const { clear, exited } = this.connection
      if (!exited.isOpen) {
        this.#state = stopping(this.#state)
        yield* waitFor(this.calls.idle, limitMs * drainShare, exited)
        sendStop(this.#writer, releaseShare * Math.max(0, limitMs - elapsed(clock, since)))
      }
      yield* exited.await
      if (clear !== undefined) yield* clear
      const state = this.#state = released(this.#state, elapsed(clock, since))
      // a host that never took calls has nothing to release
      if (state._tag !== "Exited" || state.result !== undefined || state.startMs === undefined) return
      return yield* Effect.die(this.error("lost", state.reason))
    })
  }

  kill(limitMs: number): Effect.Effect<Killed> {
    return Effect.tap(this.connection.kill(limitMs), (result) =>
      Effect.sync(() => {
        this.#state = killed(this.#state, result)
      }))
  }

  /** Has the host pinged until it has ended. */
  readonly #beat: Effect.Effect<void> = Effect.withFiber((fiber) => {
    const beating = Effect.runForkWith(fiber.context)(this.#heartbeat.run)
    this.connection.exited.onOpen(() => beating.interruptUnsafe())
    return Effect.void
  })

  #receive(operation: number, id: number, body: Uint8Array): void {
    this.#heartbeat.heard()
    switch (operation) {
      case Reply.ready:
        this.#state = up(this.#state, elapsed(this.#options.clock, this.#startedAt))
        return this.#ready.open()
      case Reply.pong:
        return
      case Reply.startFailed:
        this.#state = startFailed(this.#state, readStartFailed(body))
        return
      case Reply.event:
        return this.#hostEvent(readJson(body, isEvent))
      case Reply.measurements:
        return this.#options.observer?.measured(readMeasurements(body))
      case Reply.result: {
        const result = readResult(body)
        this.#state = finished(this.#state, result)
        for (const service of result.report.services) this.inner.set(service.name, service)
        return
      }
      default:
        this.calls.receive(operation, id, body)
    }
  }

  /** A host that sends what is no frame can be asked for nothing any longer. */
  #broken(why: string): void {
    this.#state = broken(this.#state, why)
    Effect.runFork(Effect.provideService(this.kill(brokenKillMs), Clock.Clock, this.#options.clock))
  }

  #hostEvent(event: JobEvent): void {
    if (event._tag === "ServiceStarted") this.inner.set(event.service, unreported(event))
    this.#options.onEvent(event)
  }
}

/** The line of a service whose host has not sent its result: the service ends with its host. */
const unreported = ({
  dependsOn = [],
  service,
  startMs
}: Extract<JobEvent, { readonly _tag: "ServiceStarted" }>): ServiceReport => ({
  name: service,
  host: "local",
  managed: true,
  initialized: true,
  cleanupCalled: false,
  cleanupCompleted: false,
  running: false,
  outcome: "killed",
  startMs,
  releaseMs: 0,
  dependsOn
})
