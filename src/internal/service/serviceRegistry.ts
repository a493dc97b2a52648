import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { isoAt, now } from "../../base/clock.ts"
import { errorText } from "../../base/errorText.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { LayerGraph } from "../layers/layerGraph.ts"
import { LayerNode } from "../layers/layerNode.ts"
import type { PolicyError } from "../policy/policyError.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { misnamedLimit } from "../policy/serviceLimits.ts"
import type { Leftover, ServiceReport } from "../report/reportSchemas.ts"
import { Dependencies } from "./dependencies.ts"
import { RepeatedServices } from "./repeatedServices.ts"
import { ServiceFibers } from "./serviceFibers.ts"
import { serviceLine } from "./serviceLine.ts"
import type { ServiceRecord, ServiceSpec } from "./serviceRecord.ts"
import { ServiceStarts, type StartFailure } from "./serviceStarts.ts"
import { stateText, wasRunning } from "./serviceState.ts"
import { StartTimeouts } from "./startTimeouts.ts"

type ServiceStopped = Extract<JobEvent, { readonly _tag: "ServiceStopped" }>

export interface ServiceRegistryOptions {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  /** `owner` is the service in whose hosts the event happened. */
  readonly emit: (event: JobEvent, owner?: string) => void
  /** Releases a service within its limit; a second call waits for the first one. */
  readonly release: (record: ServiceRecord, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
  /** Returns true once the job is being stopped. */
  readonly isStopping: () => boolean
  /** A service came and went without leaving a line in the report; this was its last event. */
  readonly onForgotten: (last: ServiceStopped) => void
  /** A service could not start, or died while it ran. */
  readonly onFailure: (record: ServiceRecord, cause: Cause.Cause<unknown>, phase: "start" | "run") => void
}

/**
 * The services that may start: those of the job's own layers (`starting`), those that `run` provides besides (`running`), or
 * none, because the services are being released (`closed`). It only moves forward.
 */
type Admission = "starting" | "running" | "closed"

/** The services of one job, from the start of the first one to the release of the last one. */
export class ServiceRegistry {
  readonly #options: ServiceRegistryOptions
  readonly #graph = new LayerGraph<ServiceRecord>({
    now: () => now(this.#options.clock),
    adopt: (node, output, startedAt) => this.#starts.adopt(node, output, startedAt),
    ended: (record, exit) => this.#starts.ended(record, exit),
    release: (record, exit) => this.#release(record, exit)
  })
  readonly #records: Array<ServiceRecord> = []
  readonly #dependencies = new Dependencies(this.#graph)
  readonly #fibers = new ServiceFibers(this.#graph, (record, cause) => this.#died(record, cause))
  readonly #startTimeouts: StartTimeouts
  readonly #repeated: RepeatedServices
  readonly #starts: ServiceStarts
  #admission: Admission = "starting"
  #unstopped = 0
  /** The services that have stopped otherwise than by their release, or had hosts: the others have left nothing. */
  readonly #notable = new Set<ServiceRecord>()

  constructor(options: ServiceRegistryOptions) {
    this.#options = options
    this.#startTimeouts = new StartTimeouts({
      clock: options.clock,
      startTimeout: options.limits.startTimeout,
      records: this.#records,
      onLate: (record, limit) => this.#starts.giveUp(record, limit)
    })
    this.#starts = new ServiceStarts({
      clock: options.clock,
      limits: options.limits,
      emit: options.emit,
      isStarting: () => this.isStarting,
      add: (record) => {
        this.#records.push(record)
        this.#unstopped++
      },
      needs: (record) => this.#dependencies.names(record),
      onStarted: (record) => this.#fibers.started(record),
      onLate: (record, cause) => options.onFailure(record, cause, "start"),
      release: options.release
    })
    this.#repeated = new RepeatedServices((record, last) => this.#forget(record, last))
  }

  /** The memo map for the job's own layers. */
  memoMap(): Layer.MemoMap {
    return this.#graph.memoMap
  }

  get limits(): PolicyMillis {
    return this.#options.limits
  }

  emit(event: JobEvent, owner?: string): void {
    this.#options.emit(event, owner)
  }

  /** The wall clock as ISO 8601, at a monotonic time in milliseconds. */
  at(at = now(this.#options.clock)): string {
    return isoAt(this.#options.clock, at)
  }

  /** The job's own layers stand; from now on `run` may provide more services. */
  layersBuilt(): void {
    if (this.#admission === "starting") this.#admission = "running"
    this.#graph.seal()
  }

  /** Returns the error for the first of these limits that is not that of one service. */
  misnamedLimit(keys: ReadonlyArray<string>): PolicyError | undefined {
    return keys.length === 0
      ? undefined
      : misnamedLimit(keys, this.#records.map(({ name, wantedName }) => [name, wantedName]))
  }

  /** The run is about to be interrupted, and with it the layers that are being built: those that do not start have a line, too. */
  interrupt(): void {
    this.#graph.interrupt()
  }

  /** The layers that are still being built, though they were interrupted, are services from now on. */
  adoptHung(): void {
    this.#graph.adoptHung()
  }

  /** Admits no more services: they are being released. */
  close(): void {
    this.#admission = "closed"
  }

  /** `true` while the job's own layers are built. */
  get isStarting(): boolean {
    return this.#admission === "starting"
  }

  /** `true` once `run` may use the services, until they are released. */
  get isServing(): boolean {
    return this.#admission === "running"
  }

  /** The start that failed last: the layer that provided the service may handle that, or the job fails because of it. */
  get startFailure(): StartFailure | undefined {
    return this.#starts.failure
  }

  /** Reports starts that take too long, until the stop begins. */
  watchStarts(stopping: OneShotLatch): Effect.Effect<void> {
    return this.#startTimeouts.watch(stopping)
  }

  /** A fiber of the job is about to begin. */
  fiberBegins(fiber: Parameters<ServiceFibers["begun"]>[0]): void {
    this.#fibers.begun(fiber)
  }

  /**
   * Builds a service in a scope of its own, whose release is bounded, whatever the scope of its layer is. The effect that
   * `build` returns runs as that service. Must be called on the fiber that builds the layer.
   */
  start<A, E, R>(
    spec: ServiceSpec,
    memoMap: Layer.MemoMap,
    layerScope: Scope.Scope,
    build: (record: ServiceRecord, memoMap: Layer.MemoMap) => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    if (memoMap instanceof LayerNode && memoMap.graph === this.#graph) {
      // safe: the nodes of this graph have records of this registry
      return this.#start(spec, memoMap as LayerNode<ServiceRecord>, layerScope, build)
    }
    // the memo map of a layer that `run` provides, or of `Layer.fresh`, does not know the graph: it gets a node of its own
    const node = this.#graph.foreignNode(memoMap)
    return this.#graph.track(node, () => this.#start(spec, node, layerScope, build))
  }

  #start<A, E, R>(
    spec: ServiceSpec,
    node: LayerNode<ServiceRecord>,
    layerScope: Scope.Scope,
    build: (record: ServiceRecord, memoMap: Layer.MemoMap) => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    if (this.#admission === "closed") return Effect.interrupt
    // the scope that the graph made for this layer is the service's: the graph asks for its release
    const own = node === layerScope ? node : undefined
    const { record, refused } = this.#starts.declare(spec, node, own ?? Scope.makeUnsafe())
    // from here on the graph reports the end of the acquire, whatever happens
    node.service = record
    if (refused !== undefined) return Effect.die(refused)
    this.#startTimeouts.add(record)
    const acquire = build(record, node)
    if (own === undefined) return Effect.andThen(Scope.addFinalizerExit(layerScope, this.#releaser(record)), acquire)
    return own.state._tag === "Closed" ? Effect.andThen(this.#release(record, own.state.exit), acquire) : acquire
  }

  /** A finalizer lives as long as its layer: it holds nothing but the record. */
  #releaser(record: ServiceRecord): (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> {
    return (exit) => this.#release(record, exit)
  }

  #release(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const { failure } = this.#starts
    const unwindsStart = failure !== undefined && this.isStarting && !this.#options.isStopping() &&
      record.state._tag === "Running"
    // a start has failed, and the services that had started are released because of it: the stop has begun
    if (unwindsStart) this.#options.onFailure(failure.record, failure.cause, "start")
    return this.#options.release(record, exit)
  }

  #died(record: ServiceRecord, cause: Cause.Cause<unknown>): void {
    record.error = errorText(cause)
    this.emit({ _tag: "ServiceFailed", at: this.at(), service: record.name, error: record.error })
    this.#options.onFailure(record, cause, "run")
  }

  /** A service has stopped. */
  onStopped(record: ServiceRecord, last: ServiceStopped): void {
    this.#unstopped--
    if (last.outcome !== "released" || record.hosts !== undefined) this.#notable.add(record)
    if (record.isFromRun) this.#repeated.add(record, last)
  }

  #forget(record: ServiceRecord, last: ServiceStopped): void {
    this.#records.splice(this.#records.lastIndexOf(record), 1)
    this.#notable.delete(record)
    this.#starts.forget(record)
    record.name = record.wantedName
    this.#options.onForgotten(last)
  }

  /** Returns the number of levels of services beneath one that have not stopped. */
  levelsBeneath(record: ServiceRecord): number {
    return this.#dependencies.levelsBeneath(record)
  }

  /** Releases every service whose release nobody waits for yet, dependents first: for layers whose own scopes stall. */
  releaseRest(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const rest = this.unstopped().filter(({ state }) => state._tag !== "Overdue").toReversed()
      if (rest.length === 0) return Effect.void
      const dependents = this.#dependencies.dependents(this.#records)
      return Effect.forEach(
        rest,
        (record) =>
          Effect.flatMap(
            Effect.forEach(dependents.get(record) ?? [], (dependent) => dependent.awaitSettled(), { discard: true }),
            () => this.#options.release(record, exit)
          ),
        { concurrency: "unbounded", discard: true }
      )
    })
  }

  /** `true` while there are services that have not stopped. */
  get hasUnstopped(): boolean {
    return this.#unstopped > 0
  }

  /** `true` while something of a service still runs. */
  get isAnyRunning(): boolean {
    return this.#remaining().some((record) => record.isRunning)
  }

  /** The services that have not stopped. */
  unstopped(): ReadonlyArray<ServiceRecord> {
    return this.#unstopped === 0 ? [] : this.#records.filter((record) => !record.hasStopped)
  }

  /** Returns the services of which something may still be there. */
  #remaining(): ReadonlyArray<ServiceRecord> {
    return [...this.unstopped(), ...this.#notable]
  }

  /** The services that have not stopped, each with its state in a word for people. */
  pending(): ReadonlyArray<{ readonly name: string; readonly state: string }> {
    return this.unstopped().map(({ name, state }) => ({ name, state: stateText[state._tag] }))
  }

  /** The acquires that do not end, or left something that does not. */
  hungAcquires(): ReadonlyArray<Leftover> {
    return this.#remaining()
      .filter((record) => !wasRunning(record.state) && record.isRunning)
      .map(({ name }) => ({ kind: "acquire", detail: name }))
  }

  report(): Array<ServiceReport> {
    const lines: Array<ServiceReport> = []
    for (const record of this.#records) {
      lines.push(serviceLine(record, this.#dependencies.names(record)))
      if (record.hosts !== undefined) lines.push(...record.hosts.lines())
    }
    return lines
  }

  /** Returns the leftovers of the services' hosts. */
  leftovers(): Array<Leftover> {
    return this.#remaining().flatMap((record) => record.hosts?.leftovers() ?? [])
  }
}
