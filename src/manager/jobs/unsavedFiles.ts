/** A manager that cannot write to its store before it ends leaves files. The next one writes them to the store. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import { decodeForeignJson } from "../../base/foreignJson.ts"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import { writeUnsaved } from "./writeUnsaved.ts"
import { storeRest } from "./unstorable.ts"
import { mergeUnsaved, Unsaved } from "./unsaved.ts"

const Text = Schema.fromJsonString(Unsaved)

/** The room that is kept for the files, in bytes. */
const reservedBytes = 1_024 * 1_024

/** The files in the folder of a manager, one for each job. */
export class UnsavedFiles {
  readonly #folder: string
  /** It takes room, which is there for the files when the disk is full. */
  readonly #reserve: string
  readonly #written = new Map<string, Unsaved>()

  constructor(managerFolder: string) {
    this.#folder = join(managerFolder, "unsaved")
    this.#reserve = join(managerFolder, "reserve")
  }

  /** Takes room for files that have to be written later. A manager works without, as long as its disk is not full. */
  reserve(): void {
    try {
      // random bytes, because zeros need no room on some file systems
      writeFileSync(this.#reserve, randomBytes(reservedBytes), { mode: 0o600 })
    } catch {
      rmSync(this.#reserve, { force: true })
    }
  }

  /** Adds to what is written of a job: the whole of it or nothing. Throws if it cannot. */
  add(id: string, more: Unsaved): void {
    const unsaved = mergeUnsaved(this.#written.get(id), more)
    const text = Schema.encodeSync(Text)(unsaved)
    try {
      this.#write(id, text)
    } catch (error) {
      if (!existsSync(this.#reserve)) throw error
      rmSync(this.#reserve)
      this.#write(id, text)
    }
    this.#written.set(id, unsaved)
  }

  #write(id: string, text: string): void {
    mkdirSync(this.#folder, { recursive: true })
    const file = join(this.#folder, `${id}.json`)
    writeFileSync(`${file}.tmp`, text, { flush: true })
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
      try: () => readUnsaved(file),
      catch: (error) => `${file} cannot be read, and is left as it is: ${messageOf(error)}`
    }).pipe(
      Effect.matchEffect({
        onFailure: (message) => Effect.logError(message),
        onSuccess: (unsaved) =>
          Effect.flatMap(store.get(id), (stored) =>
            stored === undefined
              ? Effect.void
              : Effect.andThen(this.#writeTo(id, store, unsaved), Effect.sync(() => rmSync(file, { force: true }))))
      })
    )
  }

  /** A manager starts although the store cannot hold some of it. */
  #writeTo(id: string, store: JobStore["Service"], unsaved: Unsaved): Effect.Effect<void, StoreError> {
    return Effect.catch(
      writeUnsaved(store, id, unsaved),
      (error) =>
        error.ofValue !== true ? Effect.fail(error) : Effect.flatMap(
          storeRest(store, id, unsaved, { why: error.message }),
          ({ missing }) => Effect.logError(`of job ${id}, ${missing.join("; ")}`)
        )
    )
  }
}

const decode = decodeForeignJson(Unsaved)

const readUnsaved = (file: string): Unsaved =>
  Option.getOrThrowWith(decode(readFileSync(file, "utf8")), () => new Error("it is not what a job manager writes"))
