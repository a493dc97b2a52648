/**
 * The requests of the parent of a job process, as one state, and all its transitions. Times are milliseconds of a clock that
 * only moves forward.
 */
import type { StopRequest } from "./protocol.ts"

/** The first request. If the job cannot make a report, the report of its parent names this one. */
interface First {
  readonly request: StopRequest
  readonly stopAt: number
}

/**
 * - `Nothing`: the job may run
 * - `Stop`: the job has to stop by its policy
 * - `StopAtOnce`: the job has to stop without waiting
 * - `Exit`: the process has to exit, even if something has not stopped
 *
 * Each has the time of the first request of its kind, and of the gentler ones.
 */
export type Asked =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Stop" } & First
  | { readonly _tag: "StopAtOnce"; readonly killAt: number } & First
  | { readonly _tag: "Exit"; readonly killAt: number; readonly exitAt: number } & First

export const nothing: Asked = { _tag: "Nothing" }

/** Returns what is asked after another request. A later request is never gentler than those before it. */
export const ask = (asked: Asked, request: StopRequest, now: number, exits: boolean): Asked => {
  const { request: first, stopAt } = asked._tag === "Nothing" ? { request, stopAt: now } : asked
  const harsher = exits ? "Exit" : request.mode === "kill" ? "StopAtOnce" : "Stop"
  switch (asked._tag) {
    case "Exit":
      return asked
    case "StopAtOnce":
      return harsher === "Exit" ? { ...asked, _tag: "Exit", exitAt: now } : asked
    case "Stop":
    case "Nothing":
      switch (harsher) {
        case "Exit":
          return { _tag: "Exit", request: first, stopAt, killAt: now, exitAt: now }
        case "StopAtOnce":
          return { _tag: "StopAtOnce", request: first, stopAt, killAt: now }
        case "Stop":
          return { _tag: "Stop", request: first, stopAt }
      }
  }
}

/** Returns true if the job was asked to stop without waiting, or to exit. */
export const isUrgent = (asked: Asked): boolean => asked._tag === "StopAtOnce" || asked._tag === "Exit"
