import { span } from "../../base/format.ts"
import type { JobInfo } from "../api/models.ts"
import { EndMark, StateMark } from "../parts/marks.tsx"
import { shown } from "../parts/text.ts"
import { ageOf } from "../state/clock.ts"
import { jobHref } from "../state/route.ts"

/** The height of a row, which the style sheet has too. */
export const rowHeight = 36

export const rowId = (id: string): string => `row-${id}`

interface JobRowProps {
  readonly info: JobInfo
  readonly index: number
  readonly now: number
  readonly isActive: boolean
  readonly isSelected: boolean
  readonly onSelect: (id: string) => void
}

export const JobRow = ({ index, info, isActive, isSelected, now, onSelect }: JobRowProps) => (
  <div
    id={rowId(info.id)}
    class={`row ${info.state}${isActive ? " active" : ""}`}
    role="row"
    aria-rowindex={index + 2}
    aria-selected={isSelected}
  >
    <span role="gridcell">
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={`Select ${shown(info.job)}`}
        checked={isSelected}
        onChange={() => onSelect(info.id)}
      />
    </span>
    <span role="gridcell">
      <StateMark state={info.state} />
    </span>
    <span role="gridcell" class="name">
      <a tabIndex={-1} href={jobHref(info.id)} title={shown(info.job)}>
        <bdi>{shown(info.job)}</bdi>
      </a>
    </span>
    <span role="gridcell" class="id">{info.id}</span>
    <span role="gridcell" title={info.submittedAt}>{span(ageOf(info.submittedAt, now))}</span>
    <span role="gridcell">{(info.restarts ?? 0) + 1}</span>
    <span role="gridcell">
      <EndMark info={info} />
    </span>
  </div>
)
