import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as EffectContext from "effect/Context"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { JobEvent } from "../JobEvent.ts"
import type { Leftover, ServiceOutcome, ServiceReport } from "../StopReport.ts"
import { errorText } from "./errors.ts"
import { GraphMemoMap, LayerGraph, Node } from "./graph.ts"
import type { Limits } from "./limits.ts"
import { Notice, waitFor, waitWithin } from "./notice.ts"
import { fibersIn } from "./supervise.ts"
import {
  awaitSettled,
  lineOf,
  type Remote,
  running,
  type ServiceRecord,
  type ServiceSpec,
  settle,
  starting,
  type State
} from "./serviceRecord.ts"
import { elapsed, isoNow, now } from "./time.ts"

export interface RegistryOptions {
  readonly clock: Clock.Clock
  readonly limits: Limits
  readonly emit: (event: JobEvent) => void
  /** A service could not start, or died while it ran. */
  readonly onFailure: (record: ServiceRecord, cause: Cause.Cause<unknown>, phase: "start" | "run") => void
}

/** The service that is being acquired; its fibers inherit it. */
const CurrentService = EffectContext.Reference<ServiceRecord | undefined>("autostop/CurrentService", {
  defaultValue: () => undefined
})

/** A service that is refused: the job fails with this message. */
export class Refused extends Error {
  override readonly name = "Refused"
}

/** What a kill takes at most, as long as the system does as it is told. */
const killReserveMs = 250

/** The services of one job: starts them, supervises them, and releases each within its limit. */
export class Registry {
  readonly graph = new LayerGraph()
  readonly records: Array<ServiceRecord> = []
  /** Opens when nothing may be waited for any longer. */
  readonly killed = new Notice()
  readonly #alive = new Map<string, ServiceRecord>()
  readonly #permits: Semaphore.Semaphore | undefined
  readonly #options: RegistryOptions
  /** When the first of the limits of the starts under way passes, and how to tell that there is an earlier one. */
  #nextStartEnd = Infinity
  #earlier: Notice | undefined
  readonly #supervised = new WeakSet<Fiber.Fiber<unknown, unknown>>()
  readonly #levels = new Map<ServiceRecord, number>()
  /** When all phases must be over, in monotonic milliseconds; set as the stop begins. */
  stopEnd = Infinity
  /** `open` while the job's own layers start, `nested` while `run` may provide more, `closed` once it is being stopped. */
  admission: "open" | "nested" | "closed" = "open"
  /** The start that failed last: whoever provided it may handle that, or the job fails because of it. */
  lastStartFailure: { readonly record: ServiceRecord; readonly cause: Cause.Cause<unknown> } | undefined
  /** Whether a release has missed its limit. */
  missed = false
  /** How long the longest kill took. */
  killMs = 0
  /** How many releases are under way, and when one last began or ended: what a stalled release is told by. */
  releasing = 0
  lastProgress = 0

  constructor(options: RegistryOptions) {
    this.#options = options
    const { releaseConcurrency } = options.limits
    this.#permits = releaseConcurrency === "unbounded" ? undefined : Semaphore.makeUnsafe(releaseConcurrency)
  }

  /** Builds a service in a scope of its own, whose release is bounded, whatever the layer's own scope is. */
  start<A, E, R>(
    spec: ServiceSpec,
    memoMap: Layer.MemoMap,
    layerScope: Scope.Scope,
    build: (
      scope: Scope.Scope,
      record: ServiceRecord,
      memoMap: Layer.MemoMap
    ) => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    // from the record to the acquire nothing may interrupt: each record has an acquire that ends, or is given up
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        if (this.admission === "closed") return Effect.interrupt
        const refused = this.#refusal(spec)
        const within = this.#within(memoMap, fiber)
        const record = this.#register(spec, refused === undefined, within.node)
        if (refused !== undefined) {
          const cause = Cause.die(new Refused(refused))
          return Effect.andThen(this.#ended(record, Exit.failCause(cause)), Effect.failCause(cause))
        }
        this.#watch(record)
        const acquire = Effect.provideService(build(record.scope, record, within), CurrentService, record)
        return Effect.andThen(
          Scope.addFinalizerExit(layerScope, this.#releaser(record)),
          Effect.onExit(
            restore(
              // a memo map of another kind, as that of `Layer.fresh`, does not tell who made what
              within === memoMap ? acquire : this.graph.track(within.node, acquire)
            ),
            (exit) => this.#ended(record, exit)
          )
        )
      })
    )
  }

  /** A finalizer lives as long as its layer: it holds nothing but the record. */
  #releaser(record: ServiceRecord): (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> {
    return (exit) => this.release(record, exit)
  }

  #refusal(spec: ServiceSpec): string | undefined {
    if (this.admission === "open" && this.#alive.has(spec.name)) {
      return `two services are named "${spec.name}"; every service of a job needs a name of its own`
    }
    const { deadline } = this.#options.limits
    if (spec.releaseTimeout !== undefined && spec.releaseTimeout !== Infinity && spec.releaseTimeout > deadline) {
      return `the stop timeout of service "${spec.name}" is ${spec.releaseTimeout} ms; ` +
        `expected no more than deadline (${deadline} ms), which all phases share`
    }
    return undefined
  }

  /** The memo map of a layer that `run` provides knows nothing of the graph: there it starts a part of its own. */
  #within(memoMap: Layer.MemoMap, fiber: Fiber.Fiber<unknown, unknown>): GraphMemoMap {
    if (memoMap instanceof GraphMemoMap && memoMap.graph === this.graph) return memoMap
    const node = new Node()
    this.graph.give(node, fiber.context)
    return new GraphMemoMap(this.graph, memoMap, node)
  }

  #register(spec: ServiceSpec, admitted: boolean, node: Node): ServiceRecord {
    let name = spec.name
    if (admitted) { for (let n = 2; this.#alive.has(name); n++) name = `${spec.name}#${n}` }
    node.service = name
    const record: ServiceRecord = {
      spec,
      name,
      node,
      scope: Scope.makeUnsafe(),
      startedAt: now(this.#options.clock),
      settled: false,
      waiting: undefined,
      state: starting,
      acquiring: true,
      cleanup: undefined,
      initialized: false,
      cleanupCalled: false,
      cleanupCompleted: false,
      startMs: 0,
      used: undefined,
      error: undefined,
      allowance: Infinity,
      remote: undefined
    }
    this.records.push(record)
    if (admitted) this.#alive.set(name, record)
    this.emit({ _tag: "ServiceStarting", at: this.at(), service: name })
    return record
  }

  /** An acquire has ended. What it had built before it failed is released. */
  #ended(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    record.acquiring = false
    // given up: what it made since was released at once, since its scope is closed
    if (record.state._tag !== "starting" || record.cleanupCalled) return Effect.void
    record.startMs = elapsed(this.#options.clock, record.startedAt)
    if (exit._tag === "Success") {
      record.initialized = true
      record.state = running
      this.emit({ _tag: "ServiceStarted", at: this.at(), service: record.name, startMs: record.startMs })
      for (const fiber of this.#fibersOf(record)) this.#superviseOne(record, fiber)
      return Effect.void
    }
    this.#failed(record, exit.cause)
    return Effect.uninterruptible(this.release(record, exit))
  }

  #failed(record: ServiceRecord, cause: Cause.Cause<unknown>): void {
    if (record.error !== undefined) return
    record.error = errorText(cause)
    this.emit({ _tag: "ServiceStartFailed", at: this.at(), service: record.name, error: record.error })
    if (!Cause.hasInterruptsOnly(cause)) this.lastStartFailure = { record, cause }
  }

  #startEnd(record: ServiceRecord): number {
    return record.startedAt + (record.spec.startTimeout ?? this.#options.limits.startTimeout)
  }

  /** Sees to it that the watch wakes up in time for the limit of this start. */
  #watch(record: ServiceRecord): void {
    const end = this.#startEnd(record)
    if (end >= this.#nextStartEnd) return
    this.#nextStartEnd = end
    this.#earlier?.open()
  }

  /** Gives up the starts that take too long, until the stop begins. An acquire may be uninterruptible and hang. */
  watchStarts(stopping: Notice): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { clock } = this.#options
      const earlier = this.#earlier = new Notice()
      return Effect.flatMap(waitFor(stopping, this.#nextStartEnd - now(clock), earlier), (why) => {
        if (why === "ended") return Effect.void
        if (why === "time") this.#giveUpLate()
        return this.watchStarts(stopping)
      })
    })
  }

  #giveUpLate(): void {
    this.#nextStartEnd = Infinity
    for (const record of this.records) {
      // one that lives elsewhere has the limit of its hosts, which knows what they said
      if (record.state !== starting || record.remote !== undefined) continue
      const end = this.#startEnd(record)
      if (end > now(this.#options.clock)) {
        this.#nextStartEnd = Math.min(this.#nextStartEnd, end)
        continue
      }
      const limit = end - record.startedAt
      const cause = Cause.die(new Error(`service "${record.name}" did not start within ${limit} ms`))
      this.#failed(record, cause)
      // nobody else can tell: its acquire may never end
      this.#options.onFailure(record, cause, "start")
    }
  }

  /**
   * A fiber that a service forked into its scope and that fails is a service that died. Each is seen before its first
   * step, when it is in that scope; one that was started at once is seen when the acquire ends.
   */
  supervise(fiber: Fiber.Fiber<unknown, unknown>): void {
    const record = fiber.getRef(CurrentService)
    if (record !== undefined && this.#fibersOf(record).includes(fiber)) this.#superviseOne(record, fiber)
  }

  #fibersOf(record: ServiceRecord): ReadonlyArray<Fiber.Fiber<unknown, unknown>> {
    return [record.scope, ...this.graph.scopesWithin(record.node)].flatMap(fibersIn)
  }

  #superviseOne(record: ServiceRecord, fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.#supervised.has(fiber)) return
    this.#supervised.add(fiber)
    fiber.addObserver((exit) => {
      if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return
      if (record.cleanupCalled || (record.state !== running && record.state !== starting)) return
      record.error = errorText(exit.cause)
      this.emit({ _tag: "ServiceFailed", at: this.at(), service: record.name, error: record.error })
      this.#options.onFailure(record, exit.cause, "run")
    })
  }

  /** Closes the scope of a service, within its limit. Never fails; a second call waits for the first. */
  release(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      if (record.cleanupCalled) return awaitSettled(record)
      this.#unwinds(record)
      record.cleanupCalled = true
      return this.#permits === undefined
        ? this.#close(record, exit, fiber.context)
        : this.#permits.withPermits(1)(Effect.suspend(() => this.#close(record, exit, fiber.context)))
    })
  }

  /** A start has failed, and what had started is being released because of it: from here on the job is being stopped. */
  #unwinds(record: ServiceRecord): void {
    const failed = this.lastStartFailure
    if (this.admission !== "open" || failed === undefined || !record.initialized || this.stopEnd !== Infinity) return
    this.#options.onFailure(failed.record, failed.cause, "start")
  }

  #close(
    record: ServiceRecord,
    exit: Exit.Exit<unknown, unknown>,
    context: Context.Context<never>
  ): Effect.Effect<void> {
    const { clock } = this.#options
    const started = record.initialized
    const since = now(clock)
    if (!started) record.error ??= "its start was given up"
    record.state = { _tag: "releasing", since }
    if (started) this.emit({ _tag: "ServiceReleasing", at: this.at(), service: record.name })
    if (record.remote !== undefined) record.allowance = this.#allowance(record)
    const closing = Scope.closeUnsafe(record.scope, exit)
    // the close runs on a fiber of its own: nothing else bounds a wait for it
    const cleanup = closing === undefined ? undefined : Effect.runForkWith(context)(closing)
    const done = cleanup?.pollUnsafe()
    if (cleanup === undefined || done !== undefined) {
      this.#settle(record, started, since, done, false)
      return Effect.void
    }
    return this.#awaitCleanup(record, started, since, cleanup)
  }

  #awaitCleanup(
    record: ServiceRecord,
    started: boolean,
    since: number,
    cleanup: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<void> {
    record.cleanup = cleanup
    this.#progress(1)
    return Effect.flatMap(waitWithin(cleanup, this.#allowance(record), this.killed), (why) => {
      this.#progress(-1)
      if (why === "ended") {
        this.#settle(record, started, since, cleanup.pollUnsafe(), false)
      } else {
        record.state = { _tag: "overdue", since }
        this.missed = true
        if (record.remote !== undefined) return this.#kill(record, record.remote, since, cleanup)
        cleanup.addObserver((exit) => this.#settle(record, started, since, exit, true))
        settle(record)
        this.#missed()
      }
      return Effect.void
    })
  }

  /** What can be killed is, and whoever waits for it goes on once it is gone. */
  #kill(
    record: ServiceRecord,
    remote: Remote,
    since: number,
    cleanup: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<void> {
    const late = `it did not stop within ${Math.round(elapsed(this.#options.clock, since))} ms`
    return Effect.flatMap(remote.kill, ({ durationMs, gone, how }) => {
      this.killMs = Math.max(this.killMs, durationMs)
      record.error = `${record.error === undefined ? "" : `${record.error}; `}${late}; ` +
        (gone ? `killed (${how})` : `it could not be killed (${how})`)
      if (gone) this.#stop(record, record.initialized ? "killed" : "start-failed", since)
      // its cleanup waited for nothing but the end of its hosts
      return Effect.map(gone ? waitFor(cleanup, 1_000) : Effect.void, () => settle(record))
    })
  }

  #settle(
    record: ServiceRecord,
    started: boolean,
    since: number,
    done: Exit.Exit<unknown, unknown> | undefined,
    overdue: boolean
  ): void {
    if (record.state._tag === "stopped") return
    const failed = done !== undefined && done._tag === "Failure"
    record.cleanupCompleted = !failed
    if (failed) {
      const error = errorText(done.cause)
      record.error = record.error === undefined || record.error === error ? error : `${record.error}; ${error}`
    }
    const outcome = !started ? "start-failed" : failed ? "release-failed" : overdue ? "timed-out" : "released"
    this.#stop(record, outcome, since)
    settle(record)
    if (failed) this.#missed()
  }

  #stop(record: ServiceRecord, outcome: ServiceOutcome, since: number): void {
    const releaseMs = elapsed(this.#options.clock, since)
    record.state = { _tag: "stopped", outcome, releaseMs }
    if (this.#alive.get(record.name) === record) this.#alive.delete(record.name)
    const stopped = { _tag: "ServiceStopped", at: this.at(), service: record.name, outcome, releaseMs } as const
    this.emit(record.error === undefined ? stopped : { ...stopped, error: record.error })
    // one that `run` provided again and again leaves one line in the report, as long as all went well
    if (this.admission !== "open" && outcome === "released" && record.name !== record.spec.name) {
      this.records.splice(this.records.indexOf(record), 1)
    }
  }

  #missed(): void {
    if (this.#options.limits.onReleaseFailure === "kill" && this.stopEnd !== Infinity) this.killed.open()
  }

  #progress(change: 1 | -1): void {
    this.releasing += change
    this.lastProgress = now(this.#options.clock)
  }

  /** What is left until all phases must be over. */
  remaining(): number {
    return this.stopEnd === Infinity ? Infinity : Math.max(0, this.stopEnd - now(this.#options.clock))
  }

  /** The limit of one release: its own, cut so that each level of dependencies beneath it still has its turn. */
  #allowance(record: ServiceRecord): number {
    const own = record.spec.releaseTimeout ?? this.#options.limits.releaseTimeout
    const remaining = this.remaining()
    if (remaining === Infinity) return own
    // the deadline is to have room for a kill, too
    const left = record.remote === undefined ? remaining : remaining - Math.min(killReserveMs, remaining / 4)
    const beneath = this.#level(record)
    return Math.min(own, left - beneath * Math.min(1_000, left / (beneath + 1)))
  }

  #level(record: ServiceRecord): number {
    const known = this.#levels.get(record)
    if (known !== undefined) return known
    this.#levels.set(record, 0)
    let level = 0
    for (const name of this.graph.servicesNeededBy(record.node)) {
      const need = this.#alive.get(name)
      if (need !== undefined) level = Math.max(level, this.#level(need) + 1)
    }
    this.#levels.set(record, level)
    return level
  }

  /** Releases every service that is not released yet, dependents first: for when the layers' own scopes stall. */
  sweep(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const rest = this.records.filter((record) => !record.settled).toReversed()
      if (rest.length === 0) return Effect.void
      const dependents = new Map<string, Array<ServiceRecord>>()
      for (const record of this.records) {
        for (const name of this.graph.servicesNeededBy(record.node)) {
          const known = dependents.get(name)
          if (known === undefined) dependents.set(name, [record])
          else known.push(record)
        }
      }
      return Effect.forEach(
        rest,
        (record) =>
          Effect.andThen(
            Effect.forEach(dependents.get(record.name) ?? [], awaitSettled, {
              discard: true
            }),
            this.release(record, exit)
          ),
        { concurrency: "unbounded", discard: true }
      )
    })
  }

  /** Those that still run, with what they are doing. */
  pending(): Array<{ readonly name: string; readonly state: State["_tag"] }> {
    return this.records
      .filter((record) => record.state._tag !== "stopped")
      .map((record) => ({ name: record.name, state: record.state._tag }))
  }

  /** Gives every service that has not ended its last word. Nothing changes after it. */
  conclude(): void {
    for (const record of this.records.slice()) {
      if (record.state._tag === "stopped") continue
      const since = "since" in record.state ? record.state.since : now(this.#options.clock)
      this.#stop(record, record.initialized ? "abandoned" : "start-failed", since)
    }
  }

  report(): Array<ServiceReport> {
    return this.records.flatMap((record) => {
      const line = lineOf(record, this.graph.servicesNeededBy(record.node))
      return record.remote === undefined ? line : [line, ...record.remote.lines()]
    })
  }

  /** What services have left behind where they lived. */
  leftovers(): Array<Leftover> {
    return this.records.flatMap((record) => record.remote?.leftovers() ?? [])
  }

  get limits(): Limits {
    return this.#options.limits
  }

  emit(event: JobEvent): void {
    this.#options.emit(event)
  }

  at(): string {
    return isoNow(this.#options.clock)
  }
}
