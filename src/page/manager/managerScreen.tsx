/** The manager itself. */
import { span, whole } from "../../base/format.ts"
import { getJson, queryOf, request } from "../api/request.ts"
import type { JobInfo, ManagerInfo } from "../api/models.ts"
import { role } from "../api/session.ts"
import { dateText, shown } from "../parts/text.ts"
import { useAnswer } from "../parts/useAnswer.ts"
import { ageOf, useManagerNow } from "../state/clock.ts"
import { counts, manager } from "../state/jobs.ts"
import { jobHref } from "../state/route.ts"

export const ManagerScreen = () => {
  const now = useManagerNow(1_000)
  const info = useAnswer(() => getJson<ManagerInfo>("info"))
  const queue = useAnswer(() => getJson<ReadonlyArray<JobInfo>>(`jobs${queryOf({ state: "queued", limit: 50 })}`))
  const metrics = useAnswer(async () => (await request("metrics")).text())
  const state = manager.value
  return (
    <section class="screen" aria-labelledby="manager-title">
      <h1 id="manager-title">Manager</h1>
      <dl class="facts">
        <div>
          <dt>Version</dt>
          <dd>{state?.version ?? "–"}</dd>
        </div>
        <div>
          <dt>Started</dt>
          <dd>
            {state === undefined ? "–" : `${dateText(state.startedAt)}, ${span(ageOf(state.startedAt, now))} ago`}
          </dd>
        </div>
        <div>
          <dt>Takes jobs</dt>
          <dd>
            {state?.ready === false
              ? "no: it is being stopped, or its store cannot be written"
              : "yes; its store can be written"}
          </dd>
        </div>
        {factsOf(info.answer?.status).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {Object.entries(counts.value).map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{whole(count)}</dd>
          </div>
        ))}
        <div>
          <dt>Your role</dt>
          <dd>{role.value}</dd>
        </div>
        <div>
          <dt>API</dt>
          <dd>
            <a href="docs">/docs</a>, <a href="openapi.json">/openapi.json</a>
          </dd>
        </div>
      </dl>
      <h2>Queue</h2>
      {queue.fault !== undefined && <p class="fault" role="alert">{queue.fault}</p>}
      {queue.answer?.length === 0 && <p>Nothing waits.</p>}
      <ol>
        {queue.answer?.toReversed().map(({ id, job, priority }) => (
          <li key={id}>
            <a href={jobHref(id)}>
              <bdi>{shown(job)}</bdi> {id}
            </a>, priority {priority}
          </li>
        ))}
      </ol>
      <h2>Registered jobs</h2>
      {info.answer?.jobs.length === 0 && <p>There are none.</p>}
      <ul>
        {info.answer?.jobs.map((name) => (
          <li key={name}>
            <bdi>{shown(name)}</bdi>
          </li>
        ))}
      </ul>
      <h2>Numbers</h2>
      {metrics.fault !== undefined && <p class="fault" role="alert">{metrics.fault}</p>}
      <pre tabIndex={0} aria-label="Numbers of the manager">{linesOf(metrics.answer)}</pre>
    </section>
  )
}

const factsOf = (status: ManagerInfo["status"]): ReadonlyArray<readonly [string, string]> =>
  status === undefined ? [] : [
    ["Store", status.store],
    ["Runs at once", `${whole(status.concurrency)} at most`],
    ["Lets wait", `${whole(status.queued)} at most`],
    ["Spare processes", whole(status.spares)],
    ["Watchers", whole(status.watchers)]
  ]

/** Leaves out what describes the numbers to a machine. */
const linesOf = (text = ""): string =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).join("\n")
