/** A job that a manager runs, as its submitter sees it. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { JobRun, StopOptions } from "../../Environment.ts"
import type { SubmittedJob } from "../../internal/run/submitter.ts"
import { EventLog } from "../../internal/run/eventLog.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type * as Job from "../../Job.ts"
import { type Client, persist, tell } from "./client.ts"
import { decodeExit } from "../exitCodec.ts"
import { follow } from "./follow.ts"
import { NotFound, Unavailable } from "../Manager.ts"

type Ended = Effect.Success<JobRun<unknown, unknown>["result"]>

export interface RemoteRunOptions {
  readonly id: string
  readonly job: Job.AnyContract
  readonly client: Client
  /** What goes on for the run in the background has the context of its submitter, and ends with this Scope. */
  readonly context: Context.Context<never>
  readonly scope: Scope.Scope
  /** How long nothing may come over a connection; a manager that is not heard of for twice as long is given up. */
  readonly silenceMs: number
  /** Called once it is known that the job is gone. */
  readonly onGone: () => void
}

export class RemoteRun implements SubmittedJob {
  readonly #given: RemoteRunOptions
  readonly #params: { readonly id: string }
  readonly #log = new EventLog()
  readonly #ended = Deferred.makeUnsafe<Ended>()
  #isFollowed = false
  readonly #gone = new OneShotLatch()
  #heardAt = 0

  constructor(given: RemoteRunOptions) {
    this.#given = given
    this.#params = { id: given.id }
    this.#gone.onOpen(given.onGone)
  }

  /** Nobody but this is told of a failure: what may pass is tried again, and the rest is nothing its users can handle. */
  get jobRun(): JobRun<unknown, unknown> {
    return {
      id: this.#given.id,
      status: Effect.suspend(() => this.#gone.isOpen ? Effect.succeed("stopped" as const) : this.#status),
      stages: Effect.suspend(() => this.#sure(this.#given.client.jobs.stages({ params: this.#params }))),
      events: Stream.suspend(() => {
        this.#follow()
        // a failure to follow the job is told where its events end
        return Stream.concat(this.#log.stream, Stream.fromEffectDrain(Deferred.await(this.#ended)))
      }),
      result: this.#result,
      stop: (options = {}) => Effect.asVoid(this.#sure(this.#requestStop(options)))
    }
  }

  /** Asks for a stop in the background: its caller goes on, or is about to end. */
  readonly stop = (reason: string): void => {
    if (!this.#gone.isOpen) this.#fork(this.#sure(this.#requestStop({ reason })))
  }

  /** Stops the job and waits until it is gone, or until the manager has not been heard of for a while. */
  readonly stopAndWait = (reason: string): Effect.Effect<void> => {
    const stopped = Effect.gen({ self: this }, function*() {
      const info = yield* this.#sure(this.#requestStop({ reason }))
      if (info === undefined || info.state === "stopped") return this.#gone.open()
      yield* this.#result
    })
    const unheard = Effect.gen({ self: this }, function*() {
      const clock = yield* Clock.Clock
      this.#heardAt = clock.currentTimeMillisUnsafe()
      for (;;) {
        const left = this.#heardAt + 2 * this.#given.silenceMs - clock.currentTimeMillisUnsafe()
        if (left <= 0) break
        yield* Effect.sleep(left)
      }
      yield* Effect.logWarning(
        `the manager of job ${this.#given.id} is not heard of: whether it has stopped is unknown`
      )
    })
    return Effect.suspend(() =>
      this.#gone.isOpen
        ? Effect.void
        : Effect.asVoid(Fiber.await(this.#fork(Effect.raceAllFirst([stopped, unheard, this.#gone.await]))))
    )
  }

  /** Renews the lease of the job for as long as it runs. */
  keepAlive(everyMs: number): void {
    const renew = Effect.suspend(() => this.#given.client.jobs.renew({ params: this.#params }))
    this.#fork(Effect.gen({ self: this }, function*() {
      while (!this.#gone.isOpen) {
        yield* Effect.sleep(everyMs)
        const renewed = yield* Effect.result(Effect.timeout(renew, everyMs))
        if (renewed._tag === "Success" ? renewed.success.state === "stopped" : renewed.failure instanceof NotFound) {
          this.#gone.open()
        }
      }
    }))
  }

  readonly #result: Effect.Effect<Ended> = Effect.suspend(() => {
    this.#follow()
    return Deferred.await(this.#ended)
  })

  get #info() {
    return this.#given.client.jobs.get({ params: this.#params })
  }

  get #status() {
    // in the queue it has not begun, which is what those who wait for it to run need to know
    return Effect.map(this.#sure(this.#info), ({ state }) => state === "queued" ? "starting" : state)
  }

  /** A job that is not there needs no stop. */
  #requestStop({ mode, reason }: StopOptions) {
    return Effect.catchTag(
      this.#given.client.jobs.stop({
        params: this.#params,
        payload: { ...(mode === undefined ? {} : { mode }), ...(reason === undefined ? {} : { reason }) }
      }),
      "NotFound",
      () => Effect.succeed(undefined)
    )
  }

  /** Follows the job, once for all who want to know of it. */
  #follow(): void {
    if (this.#isFollowed) return
    this.#isFollowed = true
    const followed = Effect.gen({ self: this }, function*() {
      const { client, job, silenceMs } = this.#given
      const clock = yield* Clock.Clock
      yield* follow({
        connect: (after) => client.jobs.events({ params: this.#params, headers: {}, query: { after, follow: true } }),
        take: (event) => {
          this.#log.emit(event)
          return event._tag === "JobStopped"
        },
        heard: () => void (this.#heardAt = clock.currentTimeMillisUnsafe()),
        isOver: Effect.map(this.#info, ({ state }) => state === "stopped"),
        silenceMs
      })
      const { exit, report } = yield* persist(this.#storedResult)
      return { exit: yield* decodeExit(job, exit), report }
    })
    this.#fork(
      Effect.catch(followed, (error) => {
        if (error instanceof NotFound) this.#gone.open()
        return Effect.die(this.#unknown(error))
      }).pipe(
        // also where it was interrupted: its environment was released
        Effect.onExit((exit) => {
          if (exit._tag === "Success") this.#gone.open()
          this.#log.close()
          return Deferred.done(this.#ended, exit)
        }),
        Effect.exit
      )
    )
  }

  /** The last event may be there before what the manager keeps of the job's end. */
  get #storedResult() {
    return Effect.catchTag(
      this.#given.client.jobs.result({ params: this.#params }),
      "Conflict",
      ({ message }) => Effect.fail(new Unavailable({ message }))
    )
  }

  #sure<A, E>(call: Effect.Effect<A, E>): Effect.Effect<A> {
    return Effect.catch(persist(call), (error) => Effect.die(this.#unknown(error)))
  }

  #unknown(error: unknown): Error {
    const why = error instanceof NotFound ? "its manager does not know it: it was removed" : tell(error)
    return new Error(`job ${this.#given.id}: ${why}`, { cause: error })
  }

  /** In a fiber of its own, which can be interrupted whatever its starter is about. */
  #fork<A>(effect: Effect.Effect<A>): Fiber.Fiber<A> {
    return Fiber.runIn(Effect.runForkWith(this.#given.context)(effect), this.#given.scope)
  }
}
