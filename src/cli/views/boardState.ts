/** The states of a board, and all their transitions. */
import type { JobState, Overview } from "../../manager/models.ts"

export type BoardState =
  /** The manager has sent no overview yet. */
  | { readonly _tag: "Empty" }
  /** The manager sends each change. */
  | { readonly _tag: "Current"; readonly overview: Overview }
  /** The connection is lost, so that the overview may be out of date. */
  | { readonly _tag: "Outdated"; readonly overview: Overview }

export const empty: BoardState = { _tag: "Empty" }

export const overviewCame = (overview: Overview): BoardState => ({ _tag: "Current", overview })

export const connectionLost = (state: BoardState): BoardState =>
  state._tag === "Current" ? { _tag: "Outdated", overview: state.overview } : state

export const connectionHeard = (state: BoardState): BoardState =>
  state._tag === "Outdated" ? { _tag: "Current", overview: state.overview } : state

/** Counts a job whose state has changed. `before` is `undefined` for a new job. */
export const jobMoved = (state: BoardState, before: JobState | undefined, after: JobState): BoardState => {
  if (state._tag === "Empty" || before === after) return state
  const counts: Record<JobState, number> = { ...state.overview.counts }
  if (before !== undefined) counts[before]--
  counts[after]++
  return { ...state, overview: { ...state.overview, counts } }
}
