/** The states of jobs and services: each has a shape and a word, because not all see colours. */
import type { JobInfo } from "../api/models.ts"

const shapes: Readonly<Record<string, string>> = {
  queued: "○",
  starting: "◔",
  running: "●",
  releasing: "◆",
  stopping: "◆",
  stopped: "■",
  succeeded: "✓",
  failed: "✗",
  cancelled: "⊘",
  released: "✓",
  "release-failed": "✗",
  "timed-out": "⧗",
  killed: "☠",
  abandoned: "⚠",
  "start-failed": "✗",
  lost: "?"
}

export const shapeOf = (state: string): string => shapes[state] ?? "·"

export const StateMark = ({ state }: { readonly state: string }) => (
  <span class={`mark ${state}`}>
    <span class="shape" aria-hidden="true">{shapeOf(state)}</span> {state}
  </span>
)

/** How a job ended, and if it left something behind. */
export const EndMark = ({ info }: { readonly info: JobInfo }) => (
  <>
    {info.outcome !== undefined && <StateMark state={info.outcome} />}
    {info.clean === false && (
      <span class="mark unclean">
        <span class="shape" aria-hidden="true">⚠</span> unclean
      </span>
    )}
  </>
)
