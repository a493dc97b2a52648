import * as Effect from "effect/Effect"
import type { JobEvent } from "../../JobEvent.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import type { ServiceOutcome, ServiceReport, StopReport } from "../../StopReport.ts"
import { Caller } from "./pendingCalls.ts"
import { HostError } from "../hostError.ts"
import { Heartbeat } from "./heartbeat.ts"
import { FrameReader, FrameWriter, readJson, Reply, Request } from "../wire/frames.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { Init, Link, Open } from "./hostConnection.ts"

export interface ReplicaOptions {
  readonly open: Open
  /** Its name in the report. */
  readonly service: string
  readonly init: Init
  readonly startMs: number
  readonly heartbeatMs: number
  readonly onEvent: (event: JobEvent) => void
  /** Its event loop does not answer, or answers again. */
  readonly onHeartbeat: (responsive: boolean) => void
}

/** What a host tells last. */
interface Ending {
  readonly report: StopReport
  /** How its own services, or what served them, failed. */
  readonly failure?: string
}

/** One host of a service, from its start to its end. */
export class Replica {
  readonly caller: Caller
  readonly link: Link
  readonly #options: ReplicaOptions
  readonly #writer: FrameWriter
  readonly #ready = new OneShotLatch()
  readonly #heartbeat: Heartbeat
  #startFailure: string | undefined
  #stopping = false
  ending: Ending | undefined
  /** The services of the host itself, as far as it has told of them. */
  readonly inner = new Map<string, ServiceReport>()
  killed: Killed | undefined
  readonly startedAt = performance.now()
  startMs = 0
  releaseMs = 0

  constructor(options: ReplicaOptions) {
    this.#options = options
    const reader = new FrameReader((operation, id, _, body) => this.#receive(operation, id, body))
    this.link = options.open((bytes) => reader.feed(bytes))
    this.#writer = new FrameWriter(this.link.send)
    this.caller = new Caller(this.#writer)
    this.#heartbeat = new Heartbeat(options.heartbeatMs, () => this.#writer.write(Request.ping), (responsive) => {
      this.caller.responsive = responsive
      options.onHeartbeat(responsive)
    })
    this.#writer.writeJson(Request.init, options.init)
    this.link.exited.onOpen(() => {
      this.#heartbeat.stop()
      this.caller.lose(
        this.#stopping && this.ending !== undefined
          ? this.error("stopped", "its limit left no more time for the call")
          : this.error("lost", this.why)
      )
    })
  }

  /** Waits until it takes calls. */
  readonly start: Effect.Effect<void, HostError> = Effect.suspend(() =>
    Effect.flatMap(waitFor(this.#ready, this.#options.startMs, this.link.exited), (why) => {
      if (why === "ended") {
        this.startMs = performance.now() - this.startedAt
        this.#heartbeat.start()
        return Effect.void
      }
      const reason = why === "time"
        ? `it was not ready within ${this.#options.startMs} ms${this.link.waitsFor?.() ?? ""}`
        : this.why
      const stderr = this.link.stderr()
      return Effect.fail(this.error("start", stderr === "" ? reason : `${reason}; its stderr ends with:\n${stderr}`))
    })
  )

  /** Why it ended, as well as it is known. */
  get why(): string {
    return this.#startFailure ?? this.ending?.failure ?? this.link.exit()
  }

  error(reason: HostError["reason"], message: string): HostError {
    return HostError.of(this.#options.service, reason, message)
  }

  /** Lets the calls in flight end, has the services of the host released, and waits for its end. Dies if it was lost. */
  stop(limitMs: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const since = performance.now()
      if (!this.link.exited.isOpen) {
        this.#stopping = true
        yield* waitFor(this.caller.idle, limitMs / 2, this.link.exited)
        // it needs some of the time to say how it went, and to exit
        const left = limitMs === Infinity ? null : 0.9 * Math.max(0, limitMs - (performance.now() - since))
        this.#writer.writeJson(Request.stop, left)
      }
      yield* this.link.exited.await
      yield* Effect.promise(async () => this.link.clear?.())
      this.releaseMs = performance.now() - since
      // what never started has nothing to release
      if (this.ending !== undefined || this.startMs === 0) return
      return yield* Effect.die(this.error("lost", this.why))
    })
  }

  get outcome(): ServiceOutcome {
    if (this.startMs === 0) return "start-failed"
    if (this.killed?.gone === true) return "killed"
    if (!this.link.exited.isOpen) return "abandoned"
    return this.ending === undefined ? "release-failed" : "released"
  }

  kill(limitMs: number): Effect.Effect<Killed> {
    return Effect.promise(async () => this.killed = await this.link.kill(limitMs))
  }

  #receive(operation: number, id: number, body: Uint8Array): void {
    this.#heartbeat.heard()
    switch (operation) {
      case Reply.ready:
        return this.#ready.open()
      case Reply.pong:
        return
      case Reply.startFailed:
        this.#startFailure = String(readJson(body))
        return
      case Reply.event:
        // safe: both ends are of the same version
        return this.#heard(readJson(body) as JobEvent)
      case Reply.report:
        this.ending = readJson(body) as Ending
        for (const service of this.ending.report.services) this.inner.set(service.name, service)
        return
      default:
        this.caller.receive(operation, id, body)
    }
  }

  #heard(event: JobEvent): void {
    if (event._tag === "ServiceStarted") this.inner.set(event.service, started(event.service, event.startMs))
    this.#options.onEvent(event)
  }
}

/** What is known of a service whose host has not sent its report: it ends with its host. */
const started = (name: string, startMs: number): ServiceReport => ({
  name,
  host: "local",
  initialized: true,
  cleanupCalled: false,
  cleanupCompleted: false,
  running: false,
  outcome: "killed",
  startMs,
  releaseMs: 0,
  dependsOn: []
})
