/** A job at a manager, as its submitter sees it. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobRun, StopOptions } from "../../Environment.ts"
import { EventLog } from "../../internal/run/eventLog.ts"
import { reasonText } from "../../internal/run/reasonText.ts"
import type { SubmittedJob } from "../../internal/run/submitter.ts"
import type * as Job from "../../Job.ts"
import { NotFound, Unavailable } from "../errors.ts"
import { decodeExit } from "../exitCodec.ts"
import { maxReason } from "../models.ts"
import { type Client, failureText, retryTransient } from "./apiClient.ts"
import { followFeed } from "./followFeed.ts"

type Result = Effect.Success<JobRun<unknown, unknown>["result"]>

/** The events and the result of the job, for all who ask for them. */
interface Following {
  readonly log: EventLog
  readonly result: Deferred.Deferred<Result>
}

export interface RemoteRunOptions {
  readonly id: string
  readonly job: Job.AnyContract
  readonly client: Client
  /** The context of the submitter, for the fibers of the run in the background. */
  readonly context: Context.Context<never>
  /** The Scope that these fibers end with. */
  readonly scope: Scope.Scope
  /**
   * The time after which a silent connection is treated as lost, in milliseconds. After twice that time a stop does not
   * wait any longer.
   */
  readonly silenceMs: number
  /** Called when the job has stopped, or the manager does not know it any more. */
  readonly onGone: () => void
}

export class RemoteRun implements SubmittedJob {
  readonly #given: RemoteRunOptions
  readonly #params: { readonly id: string }
  /** Opens when the job has stopped, or the manager does not know it any more. */
  readonly #gone = new OneShotLatch()
  /** Present once somebody has asked for the events or the result. */
  #following: Following | undefined
  /** The time at which the manager last sent something, in milliseconds since 1970. */
  #aliveAt = -Infinity

  constructor(given: RemoteRunOptions) {
    this.#given = given
    this.#params = { id: given.id }
    this.#gone.onOpen(given.onGone)
  }

  /** Its effects never fail: transient failures are retried, and others are defects, because no caller can handle them. */
  get jobRun(): JobRun<unknown, unknown> {
    return {
      id: this.#given.id,
      status: Effect.suspend(() => this.#gone.isOpen ? Effect.succeed("stopped" as const) : this.#status),
      stages: Effect.suspend(() => this.#answered(this.#given.client.jobs.stages({ params: this.#params }))),
      events: Stream.suspend(() => {
        const { log, result } = this.#follow()
        // the stream dies at its end if the job could not be followed
        return Stream.concat(log.stream, Stream.fromEffectDrain(Deferred.await(result)))
      }),
      result: this.#result,
      stop: (options = {}) => Effect.asVoid(this.#answered(this.#requestStop(options)))
    }
  }

  /** Requests a stop in the background. */
  readonly stop = (reason: string): void => {
    if (!this.#gone.isOpen) this.#fork(this.#answered(this.#requestStop({ reason })))
  }

  /** Stops the job and waits until it is gone, or until the manager has been silent for too long. */
  readonly stopAndWait = (reason: string): Effect.Effect<void> => {
    const stopped = Effect.gen({ self: this }, function*() {
      const info = yield* this.#answered(this.#requestStop({ reason }))
      if (info === undefined || info.state === "stopped") return this.#gone.open()
      yield* this.#result
    })
    const silent = Effect.gen({ self: this }, function*() {
      const clock = yield* Clock.Clock
      const since = clock.currentTimeMillisUnsafe()
      for (;;) {
        const limit = Math.max(since, this.#aliveAt) + 2 * this.#given.silenceMs
        const leftMs = limit - clock.currentTimeMillisUnsafe()
        if (leftMs <= 0) break
        yield* Effect.sleep(leftMs)
      }
      yield* Effect.logWarning(
        `the manager of job ${this.#given.id} does not answer: it is unknown whether the job has stopped`
      )
    })
    return Effect.suspend(() =>
      this.#gone.isOpen
        ? Effect.void
        : Effect.asVoid(Fiber.await(this.#fork(Effect.raceAllFirst([stopped, silent, this.#gone.await]))))
    )
  }

  /** Renews the lease of the job until the job is gone. */
  renewLease(intervalMs: number): void {
    const renew = Effect.suspend(() => this.#given.client.jobs.renew({ params: this.#params }))
    this.#fork(Effect.gen({ self: this }, function*() {
      while (!this.#gone.isOpen) {
        yield* Effect.sleep(intervalMs)
        const renewed = yield* Effect.result(Effect.timeout(renew, intervalMs))
        if (renewed._tag === "Success" ? renewed.success.state === "stopped" : renewed.failure instanceof NotFound) {
          this.#gone.open()
        }
      }
    }))
  }

  readonly #result: Effect.Effect<Result> = Effect.suspend(() => Deferred.await(this.#follow().result))

  get #info() {
    return this.#given.client.jobs.get({ params: this.#params })
  }

  get #status() {
    // `JobStatus` has no queue: a queued job has not started
    return Effect.map(this.#answered(this.#info), ({ state }) => state === "queued" ? "starting" : state)
  }

  /** Requests a stop. Returns `undefined` if the manager does not know the job. */
  #requestStop({ mode, reason: given }: StopOptions) {
    const reason = reasonText(given, maxReason)
    return Effect.catchTag(
      this.#given.client.jobs.stop({
        params: this.#params,
        payload: { ...(mode === undefined ? {} : { mode }), ...(reason === undefined ? {} : { reason }) }
      }),
      "NotFound",
      () => Effect.succeed(undefined)
    )
  }

  /** Reads the events and the result of the job in the background, once for all who ask. */
  #follow(): Following {
    if (this.#following !== undefined) return this.#following
    const following: Following = { log: new EventLog(), result: Deferred.makeUnsafe<Result>() }
    this.#following = following
    this.#fork(
      Effect.catch(this.#read(following.log), (error) => {
        if (error instanceof NotFound) this.#gone.open()
        return Effect.die(this.#defect(error))
      }).pipe(
        // this runs also if the environment is released, which interrupts the fiber
        Effect.onExit((exit) => {
          if (exit._tag === "Success") this.#gone.open()
          following.log.close()
          return Deferred.done(following.result, exit)
        }),
        Effect.exit
      )
    )
    return following
  }

  #read(log: EventLog) {
    return Effect.gen({ self: this }, function*() {
      const { client, job, silenceMs } = this.#given
      const clock = yield* Clock.Clock
      yield* followFeed({
        connect: (after) => client.jobs.events({ params: this.#params, headers: {}, query: { after, follow: true } }),
        take: (event) => {
          log.emit(event)
          return event._tag === "JobStopped"
        },
        onAlive: () => void (this.#aliveAt = clock.currentTimeMillisUnsafe()),
        isOver: Effect.map(this.#info, ({ state }) => state === "stopped"),
        silenceMs
      })
      const { exit, report } = yield* retryTransient(this.#storedResult)
      return { exit: yield* decodeExit(job, exit), report }
    })
  }

  /**
   * Reads the result. A conflict is transient here, because the last event may come before the manager has stored the
   * result.
   */
  get #storedResult() {
    return Effect.catchTag(
      this.#given.client.jobs.result({ params: this.#params }),
      "Conflict",
      ({ message }) => Effect.fail(new Unavailable({ message }))
    )
  }

  #answered<A, E>(call: Effect.Effect<A, E>): Effect.Effect<A> {
    return Effect.catch(retryTransient(call), (error) => Effect.die(this.#defect(error)))
  }

  #defect(error: unknown): Error {
    const why = error instanceof NotFound
      ? "its manager does not know it, because it was removed"
      : failureText(error)
    return new Error(`job ${this.#given.id}: ${why}`, { cause: error })
  }

  /** Runs an effect in a fiber of its own, so that it can be interrupted even if its caller cannot. */
  #fork<A>(effect: Effect.Effect<A>): Fiber.Fiber<A> {
    return Fiber.runIn(Effect.runForkWith(this.#given.context)(effect), this.#given.scope)
  }
}
