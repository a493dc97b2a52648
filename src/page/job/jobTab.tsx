/** The state of a job: times, process, result, events. */
import { span } from "../../base/format.ts"
import { describeEvent } from "../../jobProcess/describeEvent.ts"
import type { ManagerInfo } from "../api/models.ts"
import { getJson } from "../api/request.ts"
import { StageTable } from "../parts/stageTable.tsx"
import { dateText, shown, timeText } from "../parts/text.ts"
import { useAnswer } from "../parts/useAnswer.ts"
import { ageOf, useManagerNow } from "../state/clock.ts"
import type { OpenJob } from "../state/openJob.ts"

const shownEvents = 500

export const JobTabView = ({ job }: { readonly job: OpenJob }) => {
  const now = useManagerNow(1_000)
  const { info } = job
  if (info === undefined) return null
  const until = info.stoppedAt === undefined ? now : Date.parse(info.stoppedAt)
  const facts: ReadonlyArray<readonly [string, string | undefined]> = [
    ["Id", info.id],
    ["Submitted", `${dateText(info.submittedAt)}, ${span(ageOf(info.submittedAt, now))} ago`],
    ["Started", info.startedAt && dateText(info.startedAt)],
    ["Stopped", info.stoppedAt && dateText(info.stoppedAt)],
    ["Ran for", info.startedAt && span(ageOf(info.startedAt, until))],
    ["Process", info.pid === undefined ? undefined : `pid ${info.pid}`],
    ["Priority", String(info.priority)],
    ["Attempts", String((info.restarts ?? 0) + 1)],
    ["Next attempt", info.restartsAt && timeText(info.restartsAt)],
    ["Trigger", info.trigger],
    ["Reason", info.reason]
  ]
  const trace = traceOf(info.traceparent)
  return (
    <div class="columns">
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <bdi>{shown(value)}</bdi>
              </dd>
            </div>
          )
        )}
        {trace !== undefined && (
          <div>
            <dt>Trace</dt>
            <dd>
              <TraceLink id={trace} />
            </dd>
          </div>
        )}
      </dl>
      <Stages job={job} />
      <Exit job={job} />
      <Events job={job} />
    </div>
  )
}

/** Returns the id of the trace in a `traceparent`, by which a tracing backend finds it. */
const traceOf = (traceparent: string | undefined): string | undefined => traceparent?.split("-")[1]

/** The id of the trace, as a link if the manager knows where people look at traces. */
const TraceLink = ({ id }: { readonly id: string }) => {
  const { answer } = useAnswer(() => getJson<ManagerInfo>("info"))
  const url = answer?.status?.traceUrl
  return url === undefined
    ? <>{id}</>
    : <a href={url.replaceAll("{traceId}", encodeURIComponent(id))} target="_blank" rel="noopener noreferrer">{id}</a>
}

const Stages = ({ job }: { readonly job: OpenJob }) => {
  const stages = job.stages.rates(performance.now())
  if (stages.length === 0) return null
  return (
    <section aria-labelledby="stages-title">
      <h2 id="stages-title">Pipelines</h2>
      <StageTable
        stages={stages}
        head={<th class="number">Dropped</th>}
        cell={({ dropped }) => <td class="number">{dropped ?? 0}</td>}
      />
    </section>
  )
}

const Exit = ({ job }: { readonly job: OpenJob }) => {
  const { fault, result } = job.end.value
  if (fault !== undefined) return <p class="fault" role="alert">The result cannot be read: {fault}</p>
  if (result === undefined) return null
  return (
    <section aria-labelledby="exit-title">
      <h2 id="exit-title">Result</h2>
      <pre
        class="json"
        tabIndex={0}
        aria-label="Result as JSON"
      >{JSON.stringify(result.exit, null, 2)?.slice(0, 100_000)}</pre>
    </section>
  )
}

const Events = ({ job }: { readonly job: OpenJob }) => {
  const left = job.events.length - shownEvents
  return (
    <section aria-labelledby="events-title">
      <h2 id="events-title">Events</h2>
      {left > 0 && <p class="quiet">The first {left} are left out: autostop events {job.id} has all.</p>}
      <ol class="events" tabIndex={0} aria-label="Events">
        {job.events.slice(-shownEvents).map(({ event, seq }) => (
          <li key={seq}>
            <time dateTime={event.at}>{timeText(event.at)}</time> <bdi>{describeEvent(event)}</bdi>
          </li>
        ))}
      </ol>
    </section>
  )
}
