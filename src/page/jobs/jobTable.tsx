/** The list of jobs, of which only the rows in sight are in the document. Arrow keys move, Space selects, Enter opens. */
import type { Signal } from "@preact/signals"
import { useMemo, useRef, useState } from "preact/hooks"
import { scrollToRow, VirtualRows } from "../parts/virtualRows.tsx"
import { whole } from "../../base/format.ts"
import { useManagerNow } from "../state/clock.ts"
import { type JobFilter, listedJobs } from "../state/jobList.ts"
import { allJobs, jobsVersion } from "../state/jobs.ts"
import { goTo, jobHref } from "../state/route.ts"
import { JobRow, rowHeight, rowId } from "./jobRow.tsx"
import type { ListPages } from "./listPages.ts"

interface JobTableProps {
  readonly filter: JobFilter
  readonly pages: ListPages
  readonly selected: Signal<ReadonlySet<string>>
  readonly total: number
}

const columns = ["", "State", "Name", "Id", "Age", "Attempts", "Outcome"]

export const JobTable = ({ filter, pages, selected, total }: JobTableProps) => {
  const version = jobsVersion.value
  const jobs = useMemo(() => listedJobs(allJobs(), filter), [version, filter])
  const now = useManagerNow(1_000)
  const scroller = useRef<HTMLDivElement>(null)
  const [activeId, setActiveId] = useState<string | undefined>(undefined)
  const active = activeId === undefined ? -1 : jobs.findIndex(({ id }) => id === activeId)

  const toggle = (id: string) => {
    const next = new Set(selected.value)
    if (!next.delete(id)) next.add(id)
    selected.value = next
  }
  const move = (index: number) => {
    const job = jobs[Math.max(0, Math.min(jobs.length - 1, index))]
    if (job === undefined || scroller.current === null) return
    setActiveId(job.id)
    scrollToRow(scroller.current, jobs.indexOf(job), rowHeight, rowHeight)
  }
  const steps: Readonly<Record<string, () => number>> = {
    ArrowDown: () => active + 1,
    ArrowUp: () => active - 1,
    PageDown: () => active + 10,
    PageUp: () => active - 10,
    Home: () => 0,
    End: () => jobs.length - 1
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = steps[event.key]
    if (step !== undefined) move(step())
    else if (event.key === "Enter" && activeId !== undefined) goTo(jobHref(activeId))
    else if (event.key === " " && activeId !== undefined) toggle(activeId)
    else return
    event.preventDefault()
  }
  return (
    <>
      <div
        ref={scroller}
        class="table"
        role="grid"
        tabIndex={0}
        aria-label="Jobs: arrow keys move, Space selects, Enter opens"
        aria-multiselectable="true"
        aria-rowcount={jobs.length + 1}
        aria-activedescendant={active === -1 ? undefined : rowId(activeId ?? "")}
        onKeyDown={onKeyDown}
      >
        <div class="row head" role="row" aria-rowindex={1}>
          {columns.map((name) => (
            <span key={name} role="columnheader">{name === "" ? <span class="hidden">Selected</span> : name}</span>
          ))}
        </div>
        <VirtualRows
          count={jobs.length}
          rowHeight={rowHeight}
          scroller={scroller}
          onEnd={() => void pages.more()}
          render={(index) => {
            const info = jobs[index]
            return info && (
              <JobRow
                key={info.id}
                info={info}
                index={index}
                now={now}
                isActive={info.id === activeId}
                isSelected={selected.value.has(info.id)}
                onSelect={toggle}
              />
            )
          }}
        />
      </div>
      <p class="quiet" role="status">
        {jobs.length === 0 && pages.isComplete.value
          ? total === 0 ? "There are no jobs yet." : "No job matches."
          : `${whole(jobs.length)} listed of ${whole(total)}`}
      </p>
    </>
  )
}
