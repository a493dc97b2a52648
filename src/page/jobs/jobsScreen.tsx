/** All jobs: how many are in each state, a search, the list, and the stop of those that are selected. */
import { computed, signal } from "@preact/signals"
import { useEffect, useMemo, useState } from "preact/hooks"
import type { StopMode } from "../api/models.ts"
import { actionFault, tokenFault } from "../api/session.ts"
import { counts, manager } from "../state/jobs.ts"
import type { JobFilter } from "../state/jobList.ts"
import { messageOf } from "../api/request.ts"
import { stopModes } from "../job/stopModes.ts"
import { BulkStop } from "./bulkStop.tsx"
import { Filters } from "./filters.tsx"
import { JobTable } from "./jobTable.tsx"
import { ListPages, readAll } from "./listPages.ts"

/** The filter and the selection stay while another screen is shown. */
const filter = signal<JobFilter>({})
const selected = signal<ReadonlySet<string>>(new Set())
const selectedCount = computed(() => selected.value.size)

export const JobsScreen = () => {
  // a feed that begins again tells nothing of the jobs that have stopped meanwhile
  const epoch = manager.value?.at
  const pages = useMemo(() => new ListPages(filter.value), [filter.value, epoch])
  const [mode, setMode] = useState<StopMode | undefined>(undefined)
  const [fault, setFault] = useState<string | undefined>(undefined)
  useEffect(() => void pages.more(), [pages])
  const total = Object.values(counts.value).reduce((sum, count) => sum + count, 0)
  const selectAll = async () => {
    try {
      const all = await readAll(filter.value)
      selected.value = new Set(all.filter(({ state }) => state !== "stopped").map(({ id }) => id))
    } catch (error) {
      setFault(messageOf(error))
    }
  }
  return (
    <section class="screen jobs" aria-labelledby="jobs-title">
      <h1 id="jobs-title" class="hidden">Jobs</h1>
      <Filters filter={filter} />
      <div class="selection" role="group" aria-label="Selected jobs">
        <button type="button" onClick={() => void selectAll()} disabled={actionFault() !== undefined}>
          Select all that match
        </button>
        {selectedCount.value > 0 && (
          <>
            <span>{selectedCount.value} selected</span>
            {stopModes.map((mode) => (
              <button
                key={mode}
                type="button"
                class={mode === "kill" ? "danger" : ""}
                disabled={actionFault() !== undefined}
                title={actionFault()}
                onClick={() => setMode(mode)}
              >
                {mode} {selectedCount.value}
              </button>
            ))}
            <button type="button" onClick={() => selected.value = new Set()}>Select none</button>
          </>
        )}
        {fault !== undefined && <span class="fault" role="alert">{fault}</span>}
      </div>
      {pages.fault.value !== undefined && tokenFault.value === undefined && (
        <p class="notice alert" role="alert">The list cannot be read: {pages.fault.value}.</p>
      )}
      <JobTable filter={filter.value} pages={pages} selected={selected} total={total} />
      {mode !== undefined && <BulkStop mode={mode} ids={[...selected.value]} onClose={() => setMode(undefined)} />}
    </section>
  )
}
