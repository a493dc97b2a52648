import type { ServiceReport } from "../report/reportSchemas.ts"
import type { ServiceRecord } from "./serviceRecord.ts"
import { wasRunning } from "./serviceState.ts"

/** The line of a service in the report. */
export const serviceLine = (record: ServiceRecord, dependsOn: ReadonlyArray<string>): ServiceReport => {
  const { error, hosts, settings, state, used } = record
  const end = state._tag === "Stopped" ? state : undefined
  const line: { -readonly [Key in keyof ServiceReport]: ServiceReport[Key] } = {
    name: record.name,
    host: settings.host,
    managed: settings.managed,
    initialized: wasRunning(state),
    cleanupCalled: record.isReleaseCalled,
    cleanupCompleted: end?.cleanup === "completed",
    running: record.isRunning,
    outcome: end?.outcome ?? "abandoned",
    startMs: record.startMs,
    releaseMs: end?.releaseMs ?? 0,
    dependsOn
  }
  if (used !== undefined) line.used = used
  if (hosts !== undefined) Object.assign(line, hosts.details())
  if (error !== undefined) line.error = error
  return line
}
