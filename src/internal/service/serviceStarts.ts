import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { between, isoAt, now } from "../../base/clock.ts"
import { errorText } from "../../base/errorText.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { nameOfBuilder, nameOfOutput } from "../layers/layerName.ts"
import type { LayerNode } from "../layers/layerNode.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { releaseLimitOf } from "../policy/serviceLimits.ts"
import { ServiceNames, unnamed } from "./serviceNames.ts"
import { ServiceRecord, type ServiceSettings, type ServiceSpec } from "./serviceRecord.ts"
import { running } from "./serviceState.ts"

/** The settings of a plain layer: its policy has its limits. */
const plainSettings: ServiceSettings = {
  host: "local",
  managed: false,
  releaseTimeout: undefined,
  startTimeout: undefined
}

/** A start that failed. */
export interface StartFailure {
  readonly record: ServiceRecord
  readonly cause: Cause.Cause<unknown>
}

/** A service that is refused: the job fails with this message. */
export class ServiceRefused extends Error {
  override readonly name = "ServiceRefused"
}

/** The registry as the starts of its services see it. */
export interface StartsOptions {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  readonly emit: (event: JobEvent) => void
  /** Returns true while the job's own layers are built. */
  readonly isStarting: () => boolean
  /** Adds a service that begins to start. */
  readonly add: (record: ServiceRecord) => void
  /** Returns the names of the services that one needs. */
  readonly needs: (record: ServiceRecord) => ReadonlyArray<string>
  /** A declared service has started. */
  readonly onStarted: (record: ServiceRecord) => void
  /** A start takes longer than its limit. */
  readonly onLate: (record: ServiceRecord, cause: Cause.Cause<unknown>) => void
  /** Releases a service within its limit; a second call waits for the first one. */
  readonly release: (record: ServiceRecord, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** The starts of the services of a job: their names, and what becomes of an acquire. */
export class ServiceStarts {
  readonly #options: StartsOptions
  readonly #names = new ServiceNames()
  #failure: StartFailure | undefined

  constructor(options: StartsOptions) {
    this.#options = options
  }

  /** The start that failed last: the layer that provided the service may handle that, or the job fails because of it. */
  get failure(): StartFailure | undefined {
    return this.#failure
  }

  /** Adds a declared service, which begins to start in a scope. Returns why it is refused, if it is. */
  declare(
    spec: ServiceSpec,
    node: LayerNode<ServiceRecord>,
    scope: Scope.Closeable
  ): { readonly record: ServiceRecord; readonly refused: ServiceRefused | undefined } {
    const isFromRun = !this.#options.isStarting()
    const refusal = this.#refusal(spec, isFromRun)
    // one that is refused has the name that it wants, unless another one of that name may have come and gone
    const name = refusal === undefined || isFromRun ? this.#names.free(spec.name) : spec.name
    const settings = this.#limited(spec, spec.name, name)
    const record = new ServiceRecord(settings, spec.name, name, node, scope, isFromRun, node.startedAt)
    this.#add(record)
    if (refusal === undefined) this.#names.add(record)
    return { record, refused: refusal === undefined ? undefined : new ServiceRefused(refusal) }
  }

  /** Adds a plain layer that has something to release, once its start is over, or that does not start. Its start has no limit. */
  adopt(
    node: LayerNode<ServiceRecord>,
    output: Context.Context<never> | undefined,
    startedAt: number
  ): ServiceRecord {
    const wanted = nameOfOutput(node, output) ?? nameOfBuilder(node, output) ?? unnamed
    const isFromRun = !this.#options.isStarting()
    // of what `run` provides again and again the report has the last one; a job's own layers have a line each
    const name = this.#names.free(wanted, isFromRun)
    const settings = this.#limited(plainSettings, wanted, name)
    const record = new ServiceRecord(settings, wanted, name, node, node, isFromRun, startedAt)
    this.#add(record)
    this.#names.add(record)
    return record
  }

  /** Returns the settings with the limit that the policy has for this service: it wins over that of the service itself. */
  #limited(settings: ServiceSettings, wanted: string, name: string): ServiceSettings {
    const { services } = this.#options.limits
    if (services === undefined) return settings
    const releaseTimeout = releaseLimitOf(services, [name, wanted])
    return releaseTimeout === undefined ? settings : { ...settings, releaseTimeout }
  }

  #add(record: ServiceRecord): void {
    const { add, emit } = this.#options
    add(record)
    const starting = { _tag: "ServiceStarting", at: this.#at(record.startedAt), service: record.name } as const
    emit(record.isManaged ? starting : { ...starting, managed: false })
  }

  #refusal({ name, releaseTimeout }: ServiceSpec, isFromRun: boolean): string | undefined {
    const { deadline } = this.#options.limits
    if (!isFromRun && this.#names.isDeclared(name)) {
      return `two services are named "${name}"; every service of a job needs a name of its own`
    }
    if (releaseTimeout !== undefined && releaseTimeout !== Infinity && releaseTimeout > deadline) {
      return `the stop timeout of service "${name}" is ${releaseTimeout} ms; ` +
        `expected no more than deadline (${deadline} ms), which all phases share`
    }
    return undefined
  }

  /** The acquire of a service has ended. Whatever it had built before it failed is released. */
  ended(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> | undefined {
    const { state } = record
    // the start was given up: what the acquire made since was released at once, because its scope is closed
    if (state._tag !== "Starting") return undefined
    const { clock, emit, onStarted, release } = this.#options
    const at = now(clock)
    record.startMs = between(record.startedAt, at)
    if (exit._tag === "Failure") {
      this.#failed(record, exit.cause)
      return release(record, exit)
    }
    record.become(running(state))
    emit(this.#started(record, at))
    if (record.isManaged) onStarted(record)
    return undefined
  }

  #started(record: ServiceRecord, at: number): JobEvent {
    const { name, settings, startMs } = record
    const dependsOn = this.#options.needs(record)
    return {
      _tag: "ServiceStarted",
      at: this.#at(at),
      service: name,
      startMs,
      ...(settings.host === "local" ? {} : { host: settings.host }),
      ...(dependsOn.length === 0 ? {} : { dependsOn })
    }
  }

  /** Gives up a start that takes longer than its limit in milliseconds. Nobody else would: its acquire may never end. */
  giveUp(record: ServiceRecord, limit: number): void {
    const cause = Cause.die(new Error(`service "${record.name}" did not start within ${limit} ms`))
    this.#failed(record, cause)
    this.#options.onLate(record, cause)
  }

  #failed(record: ServiceRecord, cause: Cause.Cause<unknown>): void {
    if (record.error !== undefined) return
    record.error = errorText(cause)
    this.#options.emit({ _tag: "ServiceStartFailed", at: this.#at(), service: record.name, error: record.error })
    // a plain layer fails its job by its own error, as it fails any program
    if (record.isManaged && !Cause.hasInterruptsOnly(cause)) this.#failure = { record, cause }
  }

  /** A service has left no line in the report: its name is free. */
  forget(record: ServiceRecord): void {
    this.#names.delete(record)
  }

  #at(at = now(this.#options.clock)): string {
    return isoAt(this.#options.clock, at)
  }
}
