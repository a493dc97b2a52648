import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { waitFor } from "../../base/waits.ts"
import { type PolicyMillis, policyMillis } from "../../internal/policy/policyMillis.ts"
import type { ServiceHosts, ServiceRecord, ServiceSpec } from "../../internal/service/serviceRecord.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { StopPolicy } from "../../StopPolicy.ts"
import { CurrentHostCalls } from "../../telemetry/hostCalls.ts"
import { clientOf } from "../client.ts"
import type { Contract } from "../contract.ts"
import type { RestartPolicy } from "../restartPolicy.ts"
import { type Build, type BuildContext, countCalls } from "../serviceBuild.ts"
import type { Transport } from "./hostConnection.ts"
import { ObservedCalls } from "./observedCalls.ts"
import { detailsOf, leftoversOf, linesOf, replicaName } from "./replicaLines.ts"
import { type Change, ReplicaPool, type Slot } from "./replicaPool.ts"

export interface RemoteOptions {
  readonly replicas: number
  readonly restart: RestartPolicy
  readonly heartbeatMs: number
}

/** The limits of the hosts of a service, in milliseconds. */
export interface HostLimits {
  /** The name of the service in the report. */
  readonly service: string
  readonly releaseMs: number
  readonly killMs: number
}

/** Makes the transport that starts the hosts of one service. */
export type MakeTransport = (limits: HostLimits) => Effect.Effect<Transport>

/** The service in hosts of its own. */
export const buildRemote = (
  { contract, module }: { readonly contract: Contract; readonly module: string },
  spec: ServiceSpec,
  makeTransport: MakeTransport,
  options: RemoteOptions
): Build =>
(context) =>
  Effect.gen(function*() {
    const { managed, scope } = context
    // the limits of single services are those of the job's own
    const { services: _, ...limits } = managed?.registry.limits ?? policyMillis(yield* StopPolicy.Defaults)
    const { releaseTimeout, startTimeout } = managed?.record.settings ?? spec
    const releaseMs = releaseTimeout ?? limits.releaseTimeout
    const { fingerprint, name, version } = contract
    const clock = yield* Clock.Clock
    const calls = yield* CurrentHostCalls
    const isObserved = calls !== undefined && (calls.metrics || calls.traces)
    const observer = !isObserved
      ? undefined
      : new ObservedCalls({ calls, service: spec.name, host: spec.host, contract, clock })
    const transport = yield* makeTransport({ service: spec.name, releaseMs, killMs: limits.killTimeout })
    // within a job the registry ends what the hosts lived in, within a limit
    if (managed === undefined) yield* Scope.addFinalizer(scope, Effect.suspend(() => transport.end(Infinity)))
    const open = Effect.sync(() =>
      new ReplicaPool({
        ...options,
        open: transport.open,
        init: {
          service: name,
          version,
          fingerprint,
          module: transport.moduleOf(module),
          limits: { ...limits, releaseTimeout: releaseMs, deadline: releaseMs },
          telemetry: observer?.wanted
        },
        observer,
        service: spec.name,
        startLimitMs: startTimeout ?? limits.startTimeout,
        clock,
        ...listenersOf(context)
      })
    )
    const pool = yield* Scope.provide(
      Effect.acquireRelease(open, (pool) => stop(pool, context, releaseMs, limits)),
      scope
    )
    if (managed !== undefined) managed.record.hosts = hostsOf(pool, transport, managed.record, limits)
    yield* pool.start
    yield* Effect.forkIn(pool.supervise, scope)
    return clientOf(contract, pool, countCalls(context))
  })

/** Within a job the registry enforces the limit of the release; outside of one nothing else does. */
const stop = (
  pool: ReplicaPool,
  { managed }: BuildContext,
  releaseMs: number,
  limits: PolicyMillis
): Effect.Effect<void> => {
  if (managed !== undefined) return Effect.suspend(() => pool.stop(managed.record.releaseLimitMs))
  return Effect.withFiber((fiber) => {
    const stopping = Effect.runForkWith(fiber.context)(pool.stop(releaseMs))
    return Effect.flatMap(
      waitFor(stopping, releaseMs),
      (why) => why === "ended" ? Effect.void : Effect.asVoid(pool.kill(limits.killTimeout))
    )
  })
}

/** Emits what happens to the hosts, and in them, as events of the job. */
const listenersOf = ({ managed }: BuildContext) => ({
  onEvent: (slot: Slot, event: JobEvent) => {
    if (managed === undefined || !("service" in event) || event._tag.startsWith("Host")) return
    const { name, settings } = managed.record
    const within = (service: string) => `${replicaName(name, slot)}/${service}`
    const named = { ...event, service: within(event.service) }
    managed.registry.emit(
      named._tag !== "ServiceStarted" ? named : {
        ...named,
        host: settings.host,
        ...(named.dependsOn === undefined ? {} : { dependsOn: named.dependsOn.map(within) })
      },
      name
    )
  },
  onChange: (slot: Slot, change: Change) => {
    if (managed === undefined) return
    const { pid } = slot.replica.connection
    const at = managed.registry.at()
    const host = { at, service: managed.record.name, replica: slot.index + 1, ...(pid === undefined ? {} : { pid }) }
    managed.registry.emit({ ...change, ...host })
  }
})

const hostsOf = (
  pool: ReplicaPool,
  transport: Transport,
  record: ServiceRecord,
  limits: PolicyMillis
): ServiceHosts => ({
  kill: Effect.tap(pool.kill(limits.killTimeout), () => transport.end(limits.killTimeout)),
  end: (limitMs) => transport.end(limitMs),
  details: () => {
    const [slot] = pool.slots
    return slot === undefined || slot.of > 1 ? {} : detailsOf(slot)
  },
  lines: () =>
    linesOf({ name: record.name, host: record.settings.host, cleanupCalled: record.isReleaseCalled }, pool.slots),
  leftovers: () => [...pool.slots.flatMap((slot) => leftoversOf(record.name, slot)), ...transport.leftovers()]
})
