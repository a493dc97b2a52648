/** The actions on a job. While it stops, only harsher modes are offered, and they stay at hand. */
import { useState } from "preact/hooks"
import type { JobInfo, StopMode } from "../api/models.ts"
import { jobPath, messageOf, postJson, request } from "../api/request.ts"
import { actionFault } from "../api/session.ts"
import { dropJob, takeJob } from "../state/jobs.ts"
import type { OpenJob } from "../state/openJob.ts"
import { goTo, jobHref } from "../state/route.ts"
import { StopDialog } from "./stopDialog.tsx"
import { harsherModes } from "./stopModes.ts"

export const Actions = ({ info, job }: { readonly info: JobInfo; readonly job: OpenJob }) => {
  const [mode, setMode] = useState<StopMode | undefined>(undefined)
  const [fault, setFault] = useState<string | undefined>(undefined)
  const refused = actionFault()
  const attempt = (action: () => Promise<void>) => () => {
    setFault(undefined)
    action().catch((error: unknown) => setFault(messageOf(error)))
  }
  const again = attempt(async () => {
    const next = await postJson<JobInfo>(jobPath(job.id, "/retry"))
    takeJob(next)
    goTo(jobHref(next.id))
  })
  const remove = attempt(async () => {
    await request(jobPath(job.id), { method: "DELETE" })
    dropJob(job.id)
    goTo("#/")
  })
  // the event of a request may come before the news that the job stops
  const current = job.projection.latestRequest?.mode ?? (info.state === "stopping" ? "drain" : undefined)
  return (
    <div class="actions" role="group" aria-label="Actions">
      {info.state === "stopped"
        ? (
          <>
            <button type="button" disabled={refused !== undefined} title={refused} onClick={again}>
              Run again with this payload
            </button>
            <button type="button" disabled={refused !== undefined} title={refused} onClick={remove}>Remove</button>
          </>
        )
        : harsherModes(current).map((mode) => (
          <button
            key={mode}
            type="button"
            class={mode === "kill" ? "danger" : ""}
            disabled={refused !== undefined}
            title={refused}
            onClick={() => setMode(mode)}
          >
            {mode}
          </button>
        ))}
      {fault !== undefined && <span class="fault" role="alert">{fault}</span>}
      {mode !== undefined && <StopDialog job={job} mode={mode} onClose={() => setMode(undefined)} />}
    </div>
  )
}
