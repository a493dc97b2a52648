/** The stop of a job as it happens; once it is over, its report. */
import { heldText, passedText } from "../../jobProcess/stopText.ts"
import { type Awaited, stopTimeline } from "../../jobProcess/stopTimeline.ts"
import { shown } from "../parts/text.ts"
import { useManagerNow } from "../state/clock.ts"
import type { OpenJob } from "../state/openJob.ts"
import { Histogram } from "./histogram.tsx"
import { ReportView } from "./reportView.tsx"
import { ServiceTable } from "./serviceTable.tsx"
import { type Stop, stopPicture } from "./stopPicture.ts"
import { TimelineChart } from "./timelineChart.tsx"

/** The largest number of waits that have a line each. */
const listedWaits = 3

export const StopTab = ({ job }: { readonly job: OpenJob }) => {
  const isOver = job.projection.stoppedAt !== undefined
  const now = useManagerNow(isOver ? 0 : 100)
  const stop = stopTimeline(job.projection, now)
  if (stop._tag === "Running") {
    return <p>Nobody has asked the job to stop. This opens by itself when it stops.</p>
  }
  const picture = stopPicture(stop, job.projection)
  const lastRun = job.lastRun.value
  return (
    <div class="stop">
      <p class="stop-head">{headText(stop)}</p>
      <Waits awaited={stop.awaited} />
      <TimelineChart picture={picture} stop={stop} lastRun={lastRun} />
      {picture.others.length > 0 && <Histogram picture={picture} />}
      <ServiceTable picture={picture} lastRun={lastRun} projection={job.projection} />
      {job.end.value.result !== undefined && <ReportView report={job.end.value.result.report} lastRun={lastRun} />}
    </div>
  )
}

const headText = ({ _tag, mode, reason, trigger, whole }: Stop): string =>
  `${_tag} (${trigger}, ${mode})${reason === undefined ? "" : `: ${shown(reason)}`}; ${passedText(whole)}`

const Waits = ({ awaited }: { readonly awaited: ReadonlyArray<Awaited> }) => {
  const more = awaited.length - listedWaits
  return (
    <div class="waits">
      {awaited.slice(0, listedWaits).map((wait) => (
        <p key={wait.service ?? ""} class="wait">
          Waiting for{" "}
          <b>
            <bdi>{shown(wait.service ?? "the run")}</bdi>
          </b>, {passedText(wait)}
          <bdi>{shown(heldText(wait))}</bdi>
        </p>
      ))}
      {more > 0 && <p class="wait">and for {more} more {more === 1 ? "service" : "services"}</p>}
      <Announced awaited={awaited} />
    </div>
  )
}

/** Tells a screen reader whom the stop waits for, and not how long, because that changes ten times a second. */
const Announced = ({ awaited }: { readonly awaited: ReadonlyArray<Awaited> }) => {
  const [first] = awaited
  return (
    <p class="hidden" role="status">
      {first === undefined ? "" : shown(`Waiting for ${first.service ?? "the run"}${heldText(first)}`)}
    </p>
  )
}
