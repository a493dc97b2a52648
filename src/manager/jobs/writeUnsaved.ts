import type * as Effect from "effect/Effect"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { Unsaved } from "./unsaved.ts"

/** Writes a part of a job to the store in one transaction, so that a manager that is killed meanwhile has all or nothing. */
export const writeUnsaved = (
  store: JobStore["Service"],
  id: string,
  unsaved: Unsaved
): Effect.Effect<void, StoreError> => {
  switch (unsaved._tag) {
    case "Events":
      return store.append(id, unsaved.events)
    case "Info":
      return store.update(unsaved.info, unsaved.events)
    case "End":
      return store.finish(unsaved.info, unsaved.result, unsaved.events)
  }
}
