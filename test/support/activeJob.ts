import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ActiveJob, type ActiveJobOptions } from "../../src/manager/jobs/activeJob.ts"
import { JobLog } from "../../src/manager/jobs/jobLog.ts"
import { adoptedState } from "../../src/manager/jobs/lostJob.ts"
import type { JobInfo } from "../../src/manager/models.ts"
import { jobOf } from "./store.ts"

const folder = mkdtempSync(join(tmpdir(), "autostop-logs-"))

/** An active job without a manager. */
export const activeJob = (
  id: string,
  info: Partial<JobInfo> = {},
  options: Partial<Pick<ActiveJobOptions, "past" | "onChange">> & { readonly leaseMs?: number } = {}
): ActiveJob => {
  const { leaseMs, onChange = () => {}, past } = options
  const stored = jobOf(id, info)
  return new ActiveJob({
    info: stored.info,
    submission: { ...stored.submission, ...(leaseMs === undefined ? {} : { leaseMs }) },
    state: adoptedState(stored, 0),
    past,
    log: (onWritten) => new JobLog({ folder, bytes: 1_000 }, id, onWritten),
    onChange
  })
}
