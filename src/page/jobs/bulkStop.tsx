/** Stops several jobs, after the user has confirmed how many, and says what became of each. */
import { useState } from "preact/hooks"
import { plural } from "../../base/format.ts"
import type { JobInfo, StopMode } from "../api/models.ts"
import { jobPath, messageOf, postJson } from "../api/request.ts"
import { Dialog } from "../parts/dialog.tsx"
import { meaningOf } from "../job/stopModes.ts"
import { shown } from "../parts/text.ts"
import { jobOf, takeJob } from "../state/jobs.ts"

interface BulkStopProps {
  readonly mode: StopMode
  readonly ids: ReadonlyArray<string>
  readonly onClose: () => void
}

interface Outcome {
  readonly id: string
  readonly text: string
  readonly isFault: boolean
}

/** The number of requests that are sent at once: a browser has six connections to one server. */
const atOnce = 4

export const BulkStop = ({ ids, mode, onClose }: BulkStopProps) => {
  const [typed, setTyped] = useState("")
  const [outcomes, setOutcomes] = useState<ReadonlyArray<Outcome> | undefined>(undefined)
  // what is asked for is what was shown, also if the selection changes meanwhile
  const [asked] = useState(ids)
  const isConfirmed = typed.trim() === String(asked.length)
  const stop = async () => {
    if (!isConfirmed || outcomes !== undefined) return
    setOutcomes([])
    const left = [...asked]
    const worker = async () => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        const outcome = await stopOne(id, mode)
        setOutcomes((known = []) => [...known, outcome])
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  }
  const faults = outcomes?.filter(({ isFault }) => isFault) ?? []
  return (
    <Dialog title={`${mode} ${plural(asked.length, "job")}`} onClose={onClose} onSubmit={() => void stop()}>
      <p>{meaningOf(mode)}</p>
      {outcomes === undefined
        ? (
          <label>
            Type {asked.length} to confirm
            <input
              inputMode="numeric"
              autocomplete="off"
              autofocus
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        )
        : (
          <>
            <p role="status">
              {outcomes.length} of {asked.length} asked{faults.length > 0 && `, ${faults.length} refused`}
            </p>
            <ul class="outcomes" tabIndex={0} aria-label="What became of each">
              {[...faults, ...outcomes.filter(({ isFault }) => !isFault)].slice(0, 200).map(({ id, isFault, text }) => (
                <li key={id} class={isFault ? "fault" : ""}>
                  <bdi>{shown(jobOf(id)?.job ?? id)}</bdi> {id}: {text}
                </li>
              ))}
            </ul>
          </>
        )}
      <p class="buttons">
        <button type="button" onClick={onClose}>{outcomes === undefined ? "Leave them" : "Close"}</button>
        {outcomes === undefined && (
          <button type="submit" class={mode === "kill" ? "danger" : "primary"} disabled={!isConfirmed}>
            {mode} {asked.length}
          </button>
        )}
      </p>
    </Dialog>
  )
}

const stopOne = async (id: string, mode: StopMode): Promise<Outcome> => {
  try {
    const info = await postJson<JobInfo>(jobPath(id, "/stop"), { mode })
    takeJob(info)
    return { id, text: info.state === "stopped" ? "has stopped" : `is ${info.state}`, isFault: false }
  } catch (error) {
    return { id, text: messageOf(error), isFault: true }
  }
}
