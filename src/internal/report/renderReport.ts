import { millis, oneLine, plural, printable, table } from "../../base/format.ts"
import { stageRows } from "../../base/stageGraph.ts"
import type { ReportData, ServiceReport } from "./reportSchemas.ts"

const tick = (value: boolean): string => value ? "yes" : "no"

const indented = (rows: ReadonlyArray<ReadonlyArray<string>>): Array<string> => table(rows).map((row) => `  ${row}`)

const placeOf = ({ actorId, host, pid, restarts }: ServiceReport): string =>
  [
    host,
    ...(actorId === undefined ? [] : [`actor ${actorId}`]),
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(restarts === undefined ? [] : [`replaced ${restarts === 1 ? "once" : `${restarts} times`}`])
  ].join(", ")

const cleanupCheck = (service: ServiceReport): Array<string> => [
  `  ${service.name} (${placeOf(service)}): ${service.outcome}` +
  (service.error === undefined ? "" : `: ${oneLine(service.error)}`),
  `    Initialized:       ${tick(service.initialized)} (${millis(service.startMs)})`,
  `    Used:              ${service.used === undefined ? "not countable" : plural(service.used, "call")}`,
  `    Cleanup Called:    ${tick(service.cleanupCalled)}`,
  `    Cleanup Completed: ${tick(service.cleanupCompleted)} (${millis(service.releaseMs)})`,
  ...(service.killSuccess === undefined ? [] : [`    Seen to be DEAD:   ${tick(service.killSuccess)}`]),
  `    Currently Running: ${tick(service.running)}` +
  (service.dependsOn.length === 0 ? "" : `; depends on ${service.dependsOn.join(", ")}`)
]

export const renderReport = (report: ReportData): string => {
  const total = Date.parse(report.stoppedAt) - Date.parse(report.startedAt)
  const lines = [
    `Job ${report.job} (${report.jobId}) on ${report.environment}: ${report.outcome}, ` +
    `${report.clean ? "clean" : "NOT CLEAN"}`,
    `Trigger: ${report.trigger}${report.reason === undefined ? "" : ` (${oneLine(report.reason)})`}; ${
      millis(total)
    } in all`
  ]
  if (report.phases.length > 0) {
    lines.push("Phases:")
    lines.push(
      ...indented(
        report.phases.map((phase) => [phase.phase, millis(phase.durationMs), phase.timedOut ? "timed out" : ""])
      )
    )
  }
  if (report.stages.length > 0) {
    lines.push("Stages:")
    lines.push(...indented(
      stageRows(report.stages).map(({ from, stage }) => [
        stage.name,
        stage.kind,
        String(stage.count),
        stage.dropped === undefined || stage.dropped === 0
          ? ""
          : `${stage.dropped} ${stage.kind === "unit" ? "cut off" : "dropped"}`,
        oneLine([from, stage.error ?? ""].filter((text) => text !== "").join("; "))
      ])
    ))
  }
  if (report.services.length > 0) {
    lines.push("Services:")
    lines.push(...report.services.flatMap(cleanupCheck))
  }
  if (report.leftovers.length > 0) {
    lines.push("Left over:")
    lines.push(...indented(report.leftovers.map((leftover) => [leftover.kind, oneLine(leftover.detail)])))
  }
  const { lostTelemetry = [] } = report
  if (lostTelemetry.length > 0) {
    lines.push("Lost telemetry:")
    lines.push(...indented(lostTelemetry.map(({ count, endpoint, signal, why }) => [
      signal,
      count === undefined ? "" : String(count),
      `${endpoint}: ${oneLine(why)}`
    ])))
  }
  return lines.map(printable).join("\n")
}
