/** The modes of a stop, in words for those who are asked to confirm one. */
import type { StopMode } from "../api/models.ts"

export const stopModes: ReadonlyArray<StopMode> = ["drain", "cancel", "kill"]

const meanings: Readonly<Record<StopMode, string>> = {
  drain:
    "Drain runs all phases: sources end, what was taken in is completed, then the services are released, dependents first.",
  cancel:
    "Cancel skips delay and drain: it interrupts the run, drops what is in flight, and then releases the services.",
  kill: "Kill gives the release no time: what is in flight is dropped, and services may leave something behind."
}

export const meaningOf = (mode: StopMode): string => meanings[mode]

/** Returns the modes that may still be asked for: a stop only becomes harsher. */
export const harsherModes = (current: StopMode | undefined): ReadonlyArray<StopMode> =>
  stopModes.slice(current === undefined ? 0 : stopModes.indexOf(current) + 1)
