import type { ServiceReport } from "../report/reportSchemas.ts"
import type { ServiceRecord } from "./serviceRecord.ts"
import { wasRunning } from "./serviceState.ts"

/** The line of a service in the report. */
export const serviceLine = (record: ServiceRecord, dependsOn: ReadonlyArray<string>): ServiceReport => {
  const { error, hosts, state, used } = record
  const line: { -readonly [Key in keyof ServiceReport]: ServiceReport[Key] } = {
    name: record.name,
    host: record.settings.host,
    managed: record.settings.managed,
    initialized: wasRunning(state),
    cleanupCalled: record.isReleaseCalled,
    cleanupCompleted: false,
    running: record.isRunning,
    outcome: "abandoned",
    startMs: record.startMs,
    releaseMs: 0,
    dependsOn
  }
  if (state._tag === "Stopped") {
    line.cleanupCompleted = state.cleanup === "completed"
    line.outcome = state.outcome
    line.releaseMs = state.releaseMs
  }
  if (used !== undefined) line.used = used
  if (hosts !== undefined) Object.assign(line, hosts.details())
  if (error !== undefined) line.error = error
  return line
}
