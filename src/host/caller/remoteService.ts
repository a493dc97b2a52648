import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { JobEvent } from "../../JobEvent.ts"
import { type PolicyMillis, policyMillis } from "../../internal/policy/policyMillis.ts"
import { waitFor } from "../../base/waits.ts"
import type { HostDetails, ServiceHosts, ServiceRecord, ServiceSpec } from "../../internal/service/serviceRecord.ts"
import { StopPolicy } from "../../StopPolicy.ts"
import type { Leftover, ServiceReport, StopReport } from "../../StopReport.ts"
import { type Build, counting, type Place } from "../serviceBuild.ts"
import { clientOf } from "../client.ts"
import type { Contract } from "../contract.ts"
import { type Change, Pool, type Restart, type Slot } from "./replicaPool.ts"
import { openProcess } from "../transport/process.ts"
import type { RayHosts, RayHostsOptions } from "../ray/hosts.ts"
import type { RaySettings } from "../ray/settings.ts"
import { openThread } from "../transport/thread.ts"

/** Where the hosts of a service are. */
export type Elsewhere = "thread" | "process" | RaySettings

export interface Settings {
  readonly replicas: number
  readonly restart: Restart
  readonly heartbeatMs: number
}

/** The service in hosts of its own. */
export const buildRemote = (
  { contract, module }: { readonly contract: Contract; readonly module: string },
  spec: ServiceSpec,
  where: Elsewhere,
  settings: Settings
): Build =>
(place) =>
  Effect.gen(function*() {
    const limits = place.managed?.registry.limits ?? policyMillis(yield* StopPolicy.Defaults)
    const releaseMs = spec.releaseTimeout ?? limits.releaseTimeout
    const { fingerprint, name, version } = contract
    const ray = yield* rayOf(where, place, {
      service: spec.name,
      limitMs: releaseMs,
      killMs: limits.killTimeout
    })
    const pool = yield* Scope.provide(
      Effect.acquireRelease(
        Effect.sync(() =>
          new Pool({
            ...settings,
            open: ray?.open ?? (where === "thread" ? openThread : openProcess),
            init: {
              service: name,
              version,
              fingerprint,
              module: ray?.moduleOf(module) ?? module,
              limits: { ...limits, releaseTimeout: releaseMs, deadline: releaseMs }
            },
            service: spec.name,
            startMs: spec.startTimeout ?? limits.startTimeout,
            ...listener(place)
          })
        ),
        (pool) => stop(pool, place, releaseMs, limits)
      ),
      place.scope
    )
    if (place.managed !== undefined) {
      place.managed.record.hosts = remoteOf(pool, ray, place.managed.record, limits)
    }
    yield* pool.start
    yield* Effect.forkIn(pool.supervise, place.scope)
    return clientOf(contract, pool, counting(place))
  })

/** What there is of a service in a Ray cluster, which ends after its hosts. Within a job the registry sees to that. */
const rayOf = (
  where: Elsewhere,
  { managed, scope }: Place,
  options: Omit<RayHostsOptions, "settings">
): Effect.Effect<RayHosts | undefined> => {
  if (typeof where !== "object") return Effect.undefined
  // what speaks with a cluster takes a while to load: who has none does not wait for it
  return Effect.flatMap(Effect.promise(() => import("../ray/hosts.ts")), ({ RayHosts }) => {
    const hosts = new RayHosts({ ...options, settings: where })
    const end = managed === undefined ? Effect.promise(() => hosts.end(Infinity)) : Effect.void
    return Effect.as(Scope.addFinalizer(scope, end), hosts)
  })
}

/** Within a job the limit is seen to by the registry; outside of one there is nobody else. */
const stop = (pool: Pool, { managed }: Place, releaseMs: number, limits: PolicyMillis): Effect.Effect<void> => {
  if (managed !== undefined) return Effect.suspend(() => pool.stop(managed.record.releaseLimitMs))
  return Effect.withFiber((fiber) => {
    const stopping = Effect.runForkWith(fiber.context)(pool.stop(releaseMs))
    return Effect.flatMap(
      waitFor(stopping, releaseMs),
      (why) => why === "ended" ? Effect.void : Effect.asVoid(pool.kill(limits.killTimeout))
    )
  })
}

/** Tells the job what happens in and to the hosts. */
const listener = ({ managed }: Place) => ({
  onEvent: (slot: Slot, event: JobEvent) => {
    if (managed === undefined || !("service" in event) || event._tag.startsWith("Host")) return
    const service = `${nameOf(managed.record, slot)}/${event.service}`
    managed.registry.emit({ ...event, service }, managed.record.name)
  },
  onChange: (slot: Slot, change: Change) => {
    if (managed === undefined) return
    const { pid } = slot.replica.link
    const at = managed.registry.at()
    const host = { at, service: managed.record.name, replica: slot.index + 1, ...(pid === undefined ? {} : { pid }) }
    managed.registry.emit({ ...change, ...host })
  }
})

/** A service with one host is told by its own name alone. */
const nameOf = (record: ServiceRecord, slot: Slot): string =>
  slot.of === 1 ? record.name : `${record.name}[${slot.index + 1}]`

const remoteOf = (
  pool: Pool,
  ray: RayHosts | undefined,
  record: ServiceRecord,
  limits: PolicyMillis
): ServiceHosts => ({
  kill: Effect.tap(pool.kill(limits.killTimeout), () => Effect.promise(async () => ray?.end(limits.killTimeout))),
  end: (limitMs) => ray === undefined ? Effect.void : Effect.promise(() => ray.end(limitMs)),
  details: () => {
    const [slot] = pool.slots
    return slot === undefined || slot.of > 1 ? {} : detailsOf(slot)
  },
  lines: () =>
    pool.slots.flatMap((slot) => [
      ...(slot.of === 1 ? [] : [lineOf(record, slot)]),
      ...Array.from(slot.replica.inner.values(), (service) => innerLine(record, slot, service))
    ]),
  leftovers: () => [...pool.slots.flatMap((slot) => leftoversOf(record, slot)), ...(ray?.leftovers ?? [])]
})

const leftoversOf = (record: ServiceRecord, slot: Slot): ReadonlyArray<Leftover> => {
  const { ending, link } = slot.replica
  const found = link.leftover()
  return [
    ...(ending?.report.leftovers ?? []),
    ...(found === undefined ? [] : [{ kind: "child-process", detail: found }])
  ].map(({ detail, kind }) => ({ kind, detail: `${nameOf(record, slot)}: ${detail}` }))
}

/** A service within a host, named after it. */
const innerLine = (record: ServiceRecord, slot: Slot, service: ServiceReport): ServiceReport => {
  const within = (name: string) => `${nameOf(record, slot)}/${name}`
  return {
    ...service,
    name: within(service.name),
    host: record.spec.host,
    dependsOn: service.dependsOn.map(within),
    // whatever it was still doing has ended with its host
    ...(slot.replica.link.exited.isOpen
      ? { running: false, outcome: service.outcome === "abandoned" ? "killed" : service.outcome }
      : {})
  }
}

const detailsOf = ({ replica: { ending, killed, link }, restarts }: Slot): HostDetails => ({
  ...(link.pid === undefined ? {} : { pid: link.pid }),
  ...(restarts === 0 ? {} : { restarts }),
  ...(killed === undefined ? {} : { killMs: Math.round(killed.durationMs) }),
  ...(link.actor === undefined
    ? {}
    : { ...link.actor, cleanupSuccess: ending !== undefined && hasCleanedUp(ending.report) })
})

const hasCleanedUp = ({ services }: StopReport): boolean => services.every(({ outcome }) => outcome === "released")

const lineOf = (record: ServiceRecord, slot: Slot): ServiceReport => {
  const { replica } = slot
  return {
    name: nameOf(record, slot),
    host: record.spec.host,
    initialized: replica.startMs > 0,
    used: slot.used,
    cleanupCalled: record.isReleaseCalled,
    cleanupCompleted: replica.ending !== undefined,
    running: !replica.link.exited.isOpen,
    outcome: replica.outcome,
    startMs: replica.startMs,
    releaseMs: replica.releaseMs,
    dependsOn: [],
    ...detailsOf(slot)
  }
}
