/**
 * The report of a stop: what was stopped, how, and what was not.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { renderReport } from "./internal/report/renderReport.ts"
import { type LostTelemetry, type ReportData, reportFields } from "./internal/report/reportSchemas.ts"

export {
  Leftover,
  LostTelemetry,
  Outcome,
  Phase,
  PhaseReport,
  ServiceOutcome,
  ServiceReport,
  StageReport,
  StageTime,
  Trigger
} from "./internal/report/reportSchemas.ts"

/**
 * The report of one stop. Times are ISO 8601 strings, durations numbers of milliseconds; it is its own JSON encoding.
 * `clean` is true exactly when every service that started is `released` and nothing is left over.
 *
 * @category models
 * @since 0.1.0
 */
export class StopReport extends Schema.Class<StopReport>("autostop/StopReport")(reportFields) {
  /**
   * Makes a report of parts that are known to be right: a check of ten thousand services takes longer than their stop.
   *
   * @internal
   */
  static trusted(parts: ReportData): StopReport {
    return Object.assign(Object.create(StopReport.prototype), parts)
  }

  /**
   * Adds what telemetry was lost, which is only known once the run has stopped.
   *
   * @internal
   */
  static withLost(report: StopReport, lost: ReadonlyArray<LostTelemetry>): StopReport {
    return lost.length === 0 ? report : StopReport.trusted({ ...report, lostTelemetry: lost })
  }

  /** The report as a table for people, with the five lines of the cleanup check for each service. */
  static render(report: StopReport): string {
    return renderReport(report)
  }

  /** Returns true if every service that started is released and nothing is left over. */
  static isClean(report: Pick<StopReport, "services" | "leftovers">): boolean {
    return report.leftovers.length === 0 &&
      report.services.every((service) =>
        service.initialized ? service.outcome === "released" : service.outcome === "start-failed" && !service.running
      )
  }
}
