/**
 * The states of what the hosts of one service live in, and every transition between them: `Open ──► Ending ──► Ended`.
 * A transition that does not exist returns the state as it is.
 */
import type { Leftover } from "../../StopReport.ts"

export type RayTransportState =
  /** Hosts may be opened. */
  | { readonly _tag: "Open" }
  /** Its jobs are being ended. */
  | { readonly _tag: "Ending" }
  /** All that was not seen to end is known. */
  | { readonly _tag: "Ended"; readonly leftovers: ReadonlyArray<Leftover> }

export const open: RayTransportState = { _tag: "Open" }

export const ending = (state: RayTransportState): RayTransportState =>
  state._tag === "Open" ? { _tag: "Ending" } : state

export const ended = (state: RayTransportState, leftovers: ReadonlyArray<Leftover>): RayTransportState =>
  state._tag === "Ending" ? { _tag: "Ended", leftovers } : state
