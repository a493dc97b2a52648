import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { JobEvent } from "../../JobEvent.ts"
import type { Leftover, ServiceReport } from "../../StopReport.ts"
import { Allowances } from "../stop/timeBudget.ts"
import { errorText } from "../../base/errorText.ts"
import { LayerGraph } from "../layers/layerGraph.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { Node } from "../layers/layerNode.ts"
import { Releases, type ServiceStopped } from "../stop/serviceRelease.ts"
import {
  awaitSettled,
  isRunning,
  lineOf,
  running,
  type ServiceRecord,
  type ServiceSpec,
  starting,
  type State
} from "./serviceState.ts"
import { StartLimits } from "./startTimeouts.ts"
import { Supervisor } from "./serviceFibers.ts"
import { between, isoAt, now } from "../../base/clock.ts"

export interface RegistryOptions {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  readonly emit: (event: JobEvent, owner?: string) => void
  /** A service came and went that leaves no line in the report; this was its last event. */
  readonly onForgotten: (stopped: ServiceStopped) => void
  /** A service could not start, or died while it ran. */
  readonly onFailure: (record: ServiceRecord, cause: Cause.Cause<unknown>, phase: "start" | "run") => void
}

/** A service that is refused: the job fails with this message. */
export class Refused extends Error {
  override readonly name = "Refused"
}

/** What a service leaves that came and went. */
interface Line {
  readonly record: ServiceRecord
  readonly stopped: ServiceStopped
}

/** Whether there is nothing to say of a service, its hosts and what was in them, but that it came and went. */
const isWell = ({ error, remote }: ServiceRecord, { outcome }: ServiceStopped): boolean =>
  outcome === "released" && error === undefined && (
    remote === undefined || (
      [remote.details(), ...remote.lines()].every(({ restarts }) => restarts === undefined) &&
      remote.lines().every(({ error, outcome }) => outcome === "released" && error === undefined) &&
      remote.leftovers().length === 0
    )
  )

/** The services of one job, from the start of the first to the release of the last. */
export class Registry {
  readonly graph = new LayerGraph({
    ended: (record, exit) => this.#ended(record, exit),
    release: (record, exit) => this.#release(record, exit)
  })
  readonly records: Array<ServiceRecord> = []
  readonly allowances: Allowances
  readonly releases: Releases
  readonly startLimits: StartLimits
  readonly supervisor: Supervisor
  readonly #options: RegistryOptions
  /** Who bears a name, or was the last to. */
  readonly #named = new Map<string, ServiceRecord>()
  /** Those that `run` provided and that were released: the last of each name. */
  readonly #lines = new Map<string, Line>()
  /** `open` while the job's own layers start, `nested` while `run` may provide more, `closed` once it is being stopped. */
  admission: "open" | "nested" | "closed" = "open"
  /** How many have not ended. */
  unended = 0
  /** The start that failed last: whoever provided it may handle that, or the job fails because of it. */
  lastStartFailure: { readonly record: ServiceRecord; readonly cause: Cause.Cause<unknown> } | undefined

  constructor(options: RegistryOptions) {
    this.#options = options
    const { clock, emit, limits } = options
    this.allowances = new Allowances({ clock, limits, needsOf: (record) => this.#needsOf(record) })
    this.releases = new Releases({
      clock,
      limits,
      allowances: this.allowances,
      emit,
      onStopped: (record, stopped) => this.#stopped(record, stopped)
    })
    this.startLimits = new StartLimits({
      clock,
      startTimeout: limits.startTimeout,
      records: this.records,
      onLate: (record, limit) => this.#late(record, limit)
    })
    this.supervisor = new Supervisor(this.graph, (record, cause) => this.#died(record, cause))
  }

  /**
   * Builds a service in a scope of its own, whose release is bounded, whatever the layer's own scope is. What `build`
   * returns runs as that service. To be called on the fiber that builds the layer.
   */
  start<A, E, R>(
    spec: ServiceSpec,
    memoMap: Layer.MemoMap,
    layerScope: Scope.Scope,
    build: (record: ServiceRecord, memoMap: Layer.MemoMap) => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    if (memoMap instanceof Node && memoMap.graph === this.graph) return this.#start(spec, memoMap, layerScope, build)
    // the memo map of a layer that `run` provides, or of `Layer.fresh`, knows nothing of the graph: a part of its own
    const node = new Node(this.graph, undefined, memoMap)
    return this.graph.track(node, () => this.#start(spec, node, layerScope, build))
  }

  #start<A, E, R>(
    spec: ServiceSpec,
    node: Node,
    layerScope: Scope.Scope,
    build: (record: ServiceRecord, memoMap: Layer.MemoMap) => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    if (this.admission === "closed") return Effect.interrupt
    const name = this.#freeName(spec.name)
    const refused = this.#refusal(spec, name)
    // the scope that the graph has made for this layer is the service's: it is the graph that asks for its release
    const own = node.own === layerScope ? node.own : undefined
    const record = this.#register(
      spec,
      refused === undefined || this.admission !== "open" ? name : spec.name,
      node,
      own ?? Scope.makeUnsafe()
    )
    // from here on the graph tells when the acquire ends, whatever happens
    node.service = record
    this.emit({ _tag: "ServiceStarting", at: this.at(record.startedAt), service: record.name })
    if (refused !== undefined) return Effect.die(new Refused(refused))
    this.#named.set(name, record)
    this.startLimits.add(record)
    const begin = build(record, node)
    if (own === undefined) return Effect.andThen(Scope.addFinalizerExit(layerScope, this.#releaser(record)), begin)
    return own.state._tag === "Closed" ? Effect.andThen(this.#release(record, own.state.exit), begin) : begin
  }

  /** A finalizer lives as long as its layer: it holds nothing but the record. */
  #releaser(record: ServiceRecord): (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> {
    return (exit) => this.#release(record, exit)
  }

  #release(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    this.#unwinds(record)
    return this.releases.release(record, exit)
  }

  /** A start has failed, and what had started is being released because of it: from here on the job is being stopped. */
  #unwinds(record: ServiceRecord): void {
    const failed = this.lastStartFailure
    const isNews = this.admission === "open" && this.allowances.end === Infinity && !record.cleanupCalled
    if (failed === undefined || !record.initialized || !isNews) return
    this.#options.onFailure(failed.record, failed.cause, "start")
  }

  #freeName(name: string): string {
    let free = name
    for (let n = 2; this.#bearerOf(free) !== undefined; n++) free = `${name}#${n}`
    return free
  }

  /** The service of this name that has not ended. */
  #bearerOf(name: string): ServiceRecord | undefined {
    const record = this.#named.get(name)
    return record?.state._tag === "stopped" ? undefined : record
  }

  #refusal(spec: ServiceSpec, name: string): string | undefined {
    if (this.admission === "open" && name !== spec.name) {
      return `two services are named "${spec.name}"; every service of a job needs a name of its own`
    }
    const { deadline } = this.#options.limits
    if (spec.releaseTimeout !== undefined && spec.releaseTimeout !== Infinity && spec.releaseTimeout > deadline) {
      return `the stop timeout of service "${spec.name}" is ${spec.releaseTimeout} ms; ` +
        `expected no more than deadline (${deadline} ms), which all phases share`
    }
    return undefined
  }

  #register(spec: ServiceSpec, name: string, node: Node, scope: Scope.Closeable): ServiceRecord {
    const record: ServiceRecord = {
      spec,
      name,
      node,
      scope,
      nested: this.admission !== "open",
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
    this.unended++
    return record
  }

  /** An acquire has ended. What it had built before it failed is released. */
  #ended(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> | undefined {
    record.acquiring = false
    // given up: what it made since was released at once, since its scope is closed
    if (record.state._tag !== "starting" || record.cleanupCalled) return undefined
    const at = now(this.#options.clock)
    record.startMs = between(record.startedAt, at)
    if (exit._tag === "Failure") {
      this.#failed(record, exit.cause)
      return this.releases.release(record, exit)
    }
    record.initialized = true
    record.state = running
    this.emit({ _tag: "ServiceStarted", at: this.at(at), service: record.name, startMs: record.startMs })
    this.supervisor.started(record)
    return undefined
  }

  #failed(record: ServiceRecord, cause: Cause.Cause<unknown>): void {
    if (record.error !== undefined) return
    record.error = errorText(cause)
    this.emit({ _tag: "ServiceStartFailed", at: this.at(), service: record.name, error: record.error })
    if (!Cause.hasInterruptsOnly(cause)) this.lastStartFailure = { record, cause }
  }

  /** A start that takes too long is given up. Nobody else can tell: its acquire may never end. */
  #late(record: ServiceRecord, limit: number): void {
    const cause = Cause.die(new Error(`service "${record.name}" did not start within ${limit} ms`))
    this.#failed(record, cause)
    this.#options.onFailure(record, cause, "start")
  }

  #died(record: ServiceRecord, cause: Cause.Cause<unknown>): void {
    record.error = errorText(cause)
    this.emit({ _tag: "ServiceFailed", at: this.at(), service: record.name, error: record.error })
    this.#options.onFailure(record, cause, "run")
  }

  #stopped(record: ServiceRecord, stopped: ServiceStopped): void {
    this.unended--
    // one that `run` provides again and again leaves one line in the report, as long as all goes well
    if (!record.nested || !isWell(record, stopped)) return
    const line = { record, stopped }
    if (record.name !== record.spec.name) return this.#forget(line)
    const before = this.#lines.get(record.name)
    this.#lines.set(record.name, line)
    if (before !== undefined) this.#forget(before)
  }

  #forget({ record, stopped }: Line): void {
    this.records.splice(this.records.lastIndexOf(record), 1)
    if (this.#named.get(record.name) === record) this.#named.delete(record.name)
    record.name = record.spec.name
    this.#options.onForgotten(stopped)
  }

  #needsOf(record: ServiceRecord): ReadonlyArray<ServiceRecord> {
    return this.graph.servicesNeededBy(record.node).filter(({ state }) => state._tag !== "stopped")
  }

  /** Releases every service that is not released yet, dependents first: for when the layers' own scopes stall. */
  sweep(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const rest = this.records.filter((record) => !record.settled).toReversed()
      if (rest.length === 0) return Effect.void
      const dependents = this.#dependents()
      return Effect.forEach(
        rest,
        (record) =>
          Effect.andThen(
            Effect.forEach(dependents.get(record) ?? [], awaitSettled, { discard: true }),
            this.releases.release(record, exit)
          ),
        { concurrency: "unbounded", discard: true }
      )
    })
  }

  #dependents(): ReadonlyMap<ServiceRecord, ReadonlyArray<ServiceRecord>> {
    const dependents = new Map<ServiceRecord, Array<ServiceRecord>>()
    for (const record of this.records) {
      for (const need of this.graph.servicesNeededBy(record.node)) {
        const known = dependents.get(need)
        if (known === undefined) dependents.set(need, [record])
        else known.push(record)
      }
    }
    return dependents
  }

  /** Those that still run, with what they are doing. */
  pending(): Array<{ readonly name: string; readonly state: State["_tag"] }> {
    return this.records
      .filter((record) => record.state._tag !== "stopped")
      .map((record) => ({ name: record.name, state: record.state._tag }))
  }

  /** The acquires that are still at work, or left something that is. */
  hungAcquires(): Array<Leftover> {
    return this.records
      .filter((record) => !record.initialized && isRunning(record))
      .map((record) => ({ kind: "acquire", detail: record.name }))
  }

  /** Gives every service that has not ended its last word. Nothing changes after it. */
  conclude(): void {
    if (this.unended === 0) return
    for (const record of this.records.slice()) {
      if (record.state._tag === "stopped") continue
      const since = "since" in record.state ? record.state.since : now(this.#options.clock)
      this.releases.stop(record, record.initialized ? "abandoned" : "start-failed", since)
    }
  }

  report(): Array<ServiceReport> {
    return this.records.flatMap((record) => {
      const line = lineOf(record, this.#dependsOn(record))
      return record.remote === undefined ? line : [line, ...record.remote.lines()]
    })
  }

  /** The services that it needs, or needed, by the names of their lines. */
  #dependsOn({ name, node }: ServiceRecord): ReadonlyArray<string> {
    // what it had built for itself was given its memo map
    return this.graph.namesNeededBy(node).filter((need) => need !== name)
  }

  /** What services have left behind where they lived. */
  leftovers(): Array<Leftover> {
    return this.records.flatMap((record) => record.remote?.leftovers() ?? [])
  }

  get limits(): PolicyMillis {
    return this.#options.limits
  }

  /** `owner` is the service in whose hosts it happened. */
  emit(event: JobEvent, owner?: string): void {
    this.#options.emit(event, owner)
  }

  at(at = now(this.#options.clock)): string {
    return isoAt(this.#options.clock, at)
  }
}
