/** The lines of the report for the hosts of a service, and for the services within them. */
import type { HostDetails } from "../../internal/service/serviceRecord.ts"
import type { Leftover, ServiceReport, StopReport } from "../../StopReport.ts"
import type { Slot } from "./replicaPool.ts"
import { innerLines, leftoversWithin } from "./lostServices.ts"
import { errorOf, isRunning, killedOf, outcomeOf, resultOf, startMsOf } from "./replicaState.ts"

/** The fields that the lines of replicas take from their service. */
export interface ServiceLine {
  readonly name: string
  readonly host: string
  readonly cleanupCalled: boolean
}

/** The name of a replica: that of its service if there is only one. */
export const replicaName = (service: string, slot: Slot): string =>
  slot.of === 1 ? service : `${service}[${slot.index + 1}]`

/** The lines of the replicas, unless there is only one, and of the services within each. */
export const linesOf = (service: ServiceLine, slots: ReadonlyArray<Slot>): ReadonlyArray<ServiceReport> =>
  slots.flatMap((slot) => [
    ...(slot.of === 1 ? [] : [replicaLine(service, slot)]),
    ...servicesWithin(slot).map((inner) => innerLine(service, slot, inner))
  ])

/** The lines of the services within the hosts of a slot, one for each: a release that was missed is not forgotten. */
const servicesWithin = ({ lost, replica }: Slot): ReadonlyArray<ServiceReport> => {
  const lines = new Map(innerLines(replica).map((line) => [line.name, line]))
  for (const [name, line] of lost.lines) {
    const { outcome = "released" } = lines.get(name) ?? {}
    if (outcome === "released" || outcome === "start-failed") lines.set(name, line)
  }
  return [...lines.values()]
}

/** The fields of a line that only hosts have. */
export const detailsOf = ({ replica: { connection, state }, restarts }: Slot): HostDetails => {
  const { actor, pid } = connection
  const killed = killedOf(state)
  const error = errorOf(state)
  return {
    ...(error === undefined ? {} : { error }),
    ...(pid === undefined ? {} : { pid }),
    ...(restarts === 0 ? {} : { restarts }),
    ...(killed === undefined ? {} : { killMs: Math.round(killed.durationMs) }),
    ...(actor === undefined ? {} : { ...actor, cleanupSuccess: hasReleasedAll(resultOf(state)?.report) })
  }
}

export const leftoversOf = (service: string, slot: Slot): ReadonlyArray<Leftover> =>
  [...slot.lost.leftovers, ...leftoversWithin(slot.replica)]
    .map(({ detail, kind }) => ({ kind, detail: `${replicaName(service, slot)}: ${detail}` }))

const replicaLine = (service: ServiceLine, slot: Slot): ServiceReport => {
  const { state } = slot.replica
  return {
    name: replicaName(service.name, slot),
    host: service.host,
    managed: true,
    initialized: startMsOf(state) !== undefined,
    used: slot.used,
    cleanupCalled: service.cleanupCalled,
    cleanupCompleted: resultOf(state) !== undefined,
    running: isRunning(state),
    outcome: outcomeOf(state),
    startMs: startMsOf(state) ?? 0,
    releaseMs: state._tag === "Exited" ? state.releaseMs : 0,
    dependsOn: [],
    ...detailsOf(slot)
  }
}

/** The line of a service within a host, with the name of its replica before its own. */
const innerLine = (service: ServiceLine, slot: Slot, inner: ServiceReport): ServiceReport => {
  const within = (name: string) => `${replicaName(service.name, slot)}/${name}`
  return {
    ...inner,
    name: within(inner.name),
    host: service.host,
    dependsOn: inner.dependsOn.map(within)
  }
}

const hasReleasedAll = (report: StopReport | undefined): boolean =>
  report !== undefined && report.services.every(({ outcome }) => outcome === "released")
