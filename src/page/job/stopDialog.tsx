/** Confirms the stop of one job: what the mode does, to how many services, within what. */
import { useState } from "preact/hooks"
import { plural, seconds } from "../../base/format.ts"
import type { JobInfo, StopMode } from "../api/models.ts"
import { jobPath, messageOf, postJson } from "../api/request.ts"
import { Dialog } from "../parts/dialog.tsx"
import { shown } from "../parts/text.ts"
import { takeJob } from "../state/jobs.ts"
import type { OpenJob } from "../state/openJob.ts"
import { meaningOf } from "./stopModes.ts"

interface StopDialogProps {
  readonly job: OpenJob
  readonly mode: StopMode
  readonly onClose: () => void
}

export const StopDialog = ({ job, mode, onClose }: StopDialogProps) => {
  const [typed, setTyped] = useState("")
  const [reason, setReason] = useState("")
  const [fault, setFault] = useState<string | undefined>(undefined)
  const name = job.info?.job ?? job.id
  const isConfirmed = mode !== "kill" || typed === name
  const stop = async () => {
    if (!isConfirmed) return
    try {
      const info = await postJson<JobInfo>(jobPath(job.id, "/stop"), {
        mode,
        ...(reason === "" ? {} : { reason })
      })
      takeJob(info)
      job.takeInfo(info)
      onClose()
    } catch (error) {
      setFault(messageOf(error))
    }
  }
  return (
    <Dialog title={`${mode} ${shown(name)}`} onClose={onClose} onSubmit={() => void stop()}>
      <p>{meaningOf(mode)}</p>
      <p>{scopeText(job)}</p>
      {mode === "kill" && (
        <label>
          Type the name of the job, <bdi>{shown(name)}</bdi>, to confirm
          <input
            autocomplete="off"
            autofocus
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      )}
      <label>
        Reason (may be empty)
        <input
          maxLength={4_096}
          autofocus={mode !== "kill"}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      {fault !== undefined && <p class="fault" role="alert">{fault}</p>}
      <p class="buttons">
        <button type="button" onClick={onClose}>Leave it</button>
        <button type="submit" class={mode === "kill" ? "danger" : "primary"} disabled={!isConfirmed}>{mode}</button>
      </p>
    </Dialog>
  )
}

/** Says how many services the stop is about, and within what. */
const scopeText = (job: OpenJob): string => {
  const { pending, request } = job.projection
  const services = pending.length === 0
    ? "It has no services that run"
    : `It has ${plural(pending.length, "service")} to release`
  const within = request?.deadlineMs === undefined
    ? "the deadline of its stop policy (25 s unless it says otherwise)"
    : `the deadline of the stop under way, ${seconds(request.deadlineMs)} from its beginning`
  return `${services}; all of it is over within ${within}.`
}
