/** Replaces values of a job that no store can hold: one job that makes such a value keeps no other from its end. */
import * as Effect from "effect/Effect"
import type { StoreError } from "../errors.ts"
import { fallbackExit, notStarted } from "../fallbackResult.ts"
import type { JobStore } from "../JobStore.ts"
import { JobInfo, type NumberedEvent } from "../models.ts"
import { StopReport } from "../../StopReport.ts"
import type { Unsaved } from "./unsaved.ts"
import { writeUnsaved } from "./writeUnsaved.ts"

/** The part that was stored, and what is missing of it, for people. */
export interface Replaced {
  readonly unsaved: Unsaved
  readonly missing: ReadonlyArray<string>
}

/**
 * Stores as much of a part as can be. Fails only if the store itself does. With `isRefused` it was seen that the store fails for
 * this part alone, whatever it says.
 */
export const storeRest = (
  store: JobStore["Service"],
  id: string,
  unsaved: Unsaved,
  { isRefused = false, why }: { readonly why: string; readonly isRefused?: boolean }
): Effect.Effect<Replaced, StoreError> => {
  const isStored = (write: Effect.Effect<void, StoreError>, isLast = false): Effect.Effect<boolean, StoreError> =>
    Effect.catch(
      Effect.as(write, true),
      (error) => error.ofValue === true || (isRefused && !isLast) ? Effect.succeed(false) : Effect.fail(error)
    )
  return Effect.gen(function*() {
    const missing: Array<string> = []
    const kept: Array<NumberedEvent> = []
    for (const event of unsaved.events) {
      // how it has stopped depends on its result, and is stored with that
      const isKept = event.event._tag === "JobStopped" || (yield* isStored(store.append(id, [event])))
      if (isKept) kept.push(event)
      else missing.push(`event ${event.seq} (${event.event._tag}) cannot be stored`)
    }
    const rest = { ...unsaved, events: kept }
    const isWhole = yield* isStored(writeUnsaved(store, id, rest))
    if (isWhole) return { unsaved: rest, missing }
    const replaced = withoutResult(rest, why)
    const hasEnd = yield* isStored(writeUnsaved(store, id, replaced), true)
    const what = hasEnd ? "its result" : "its state"
    return { unsaved: replaced, missing: [...missing, `${what} cannot be stored: ${why}`] }
  })
}

/** A job whose result nobody can read has failed. */
export const withoutResult = (unsaved: Unsaved, why: string): Unsaved => {
  if (unsaved._tag !== "End") return unsaved
  const { info: { id, job, startedAt, stoppedAt, submittedAt } } = unsaved
  const reason = `its result cannot be stored: ${why}`
  const at = stoppedAt ?? submittedAt
  const { report } = notStarted({ id, job, trigger: "failed", reason, at, submittedAt: startedAt ?? submittedAt })
  return {
    _tag: "End",
    events: unsaved.events.map(({ event, seq }) =>
      event._tag === "JobStopped" ? { seq, event: { ...event, outcome: "failed", clean: false } } : { seq, event }
    ),
    info: new JobInfo({ ...unsaved.info, outcome: "failed", clean: false, reason }),
    result: { exit: fallbackExit("failed", reason), report: StopReport.trusted({ ...report, clean: false }) }
  }
}
