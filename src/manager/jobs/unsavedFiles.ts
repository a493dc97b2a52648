/** What a manager could not write to its store before it ended. The next one writes it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import { Unsaved } from "./unsaved.ts"

const Text = Schema.fromJsonString(Unsaved)

/** The files in the folder of a manager, one for each job. */
export class UnsavedFiles {
  readonly #folder: string

  constructor(managerFolder: string) {
    this.#folder = join(managerFolder, "unsaved")
  }

  /** Writes the whole of it or nothing. Throws if it cannot. */
  write(id: string, unsaved: Unsaved): void {
    mkdirSync(this.#folder, { recursive: true })
    const file = join(this.#folder, `${id}.json`)
    writeFileSync(`${file}.tmp`, Schema.encodeSync(Text)(unsaved), { flush: true })
    renameSync(`${file}.tmp`, file)
  }

  /** Writes all of it to the store. What belongs to no job of that store is kept: the store may be another one. */
  saveTo(store: JobStore["Service"]): Effect.Effect<void, StoreError> {
    return Effect.forEach(this.#ids(), (id) => this.#save(id, store), { discard: true })
  }

  #ids(): ReadonlyArray<string> {
    try {
      return readdirSync(this.#folder).flatMap((name) => name.endsWith(".json") ? [name.slice(0, -".json".length)] : [])
    } catch {
      return []
    }
  }

  #save(id: string, store: JobStore["Service"]): Effect.Effect<void, StoreError> {
    const file = join(this.#folder, `${id}.json`)
    return Effect.try({
      try: () => Schema.decodeUnknownSync(Text)(readFileSync(file, "utf8")),
      catch: (error) => `${file} cannot be read, and is left as it is: ${messageOf(error)}`
    }).pipe(
      Effect.matchEffect({
        onFailure: (message) => Effect.logError(message),
        onSuccess: (unsaved) =>
          Effect.flatMap(store.get(id), (stored) =>
            stored === undefined
              ? Effect.void
              : Effect.andThen(writeUnsaved(store, id, unsaved), Effect.sync(() => rmSync(file, { force: true }))))
      })
    )
  }
}

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
