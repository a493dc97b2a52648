/** The report of a stop, beside the one of the last run of the same job. */
import { millis } from "../../base/format.ts"
import type { Report } from "../api/models.ts"
import { dateText, shown } from "../parts/text.ts"

interface ReportViewProps {
  readonly report: Report
  readonly lastRun: Report | undefined
}

export const ReportView = ({ lastRun, report }: ReportViewProps) => {
  const dropped = report.stages.filter(({ dropped = 0 }) => dropped > 0)
  return (
    <section class="report" aria-labelledby="report-title">
      <h2 id="report-title">Report: {report.outcome}, {report.clean ? "clean" : "NOT CLEAN"}</h2>
      <table>
        <thead>
          <tr>
            <th>Phase</th>
            <th>This run</th>
            <th>{lastTitle(lastRun)}</th>
          </tr>
        </thead>
        <tbody>
          {report.phases.map(({ durationMs, phase, timedOut }) => (
            <tr key={phase}>
              <td>{phase}</td>
              <td>{millis(durationMs)}{timedOut && ", timed out"}</td>
              <td>{phaseText(lastRun, phase)}</td>
            </tr>
          ))}
          <tr>
            <td>Services released</td>
            <td>{releasedText(report)}</td>
            <td>{lastRun === undefined ? "" : releasedText(lastRun)}</td>
          </tr>
        </tbody>
      </table>
      <h3>Dropped</h3>
      {dropped.length === 0 ?
        <p>Nothing was dropped.</p> :
        (
          <ul>
            {dropped.map(({ dropped, name }, index) => (
              <li key={index}>
                {dropped} of <bdi>{shown(name)}</bdi>
              </li>
            ))}
          </ul>
        )}
      <h3>Left behind</h3>
      {report.leftovers.length === 0 ? <p>Nothing is left.</p> : (
        <ul class="leftovers">
          {report.leftovers.map(({ detail, kind }, index) => (
            <li key={index}>
              {shown(kind)}: <bdi>{shown(detail)}</bdi>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const lastTitle = (lastRun: Report | undefined): string =>
  lastRun === undefined ? "Last run (there is none)" : `Last run, ${dateText(lastRun.stoppedAt)}`

const phaseText = (lastRun: Report | undefined, phase: string): string => {
  const known = lastRun?.phases.find((other) => other.phase === phase)
  return known === undefined ? "" : `${millis(known.durationMs)}${known.timedOut ? ", timed out" : ""}`
}

const releasedText = ({ services }: Report): string =>
  `${services.filter(({ outcome }) => outcome === "released").length} of ${services.length}`
