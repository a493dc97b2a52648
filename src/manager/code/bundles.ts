/** The bundles that clients have uploaded: kept in the store, and unpacked into a folder to be run. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Bundle, entryName, hashOf, mismatch } from "./bundle.ts"
import type { Allowed } from "./confinement.ts"
import type { Code } from "../JobProcess.ts"
import { type JobStore, StoreError } from "../JobStore.ts"
import { NotFound, Refused } from "../Manager.ts"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Bundle))

export class Bundles {
  readonly #store: JobStore["Service"]
  readonly #folder: string
  readonly #allowed: Allowed

  constructor(store: JobStore["Service"], folder: string, allowed: Allowed) {
    this.#store = store
    this.#folder = folder
    this.#allowed = allowed
    // what was being unpacked when a manager before this one was killed
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (name.includes(".")) rmSync(join(folder, name), { recursive: true, force: true })
    }
  }

  /** Keeps one: on disk before it returns. One that is there already stays as it is. */
  add(hash: string, content: Uint8Array, at: string): Effect.Effect<void, Refused | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const actual = hashOf(content)
      if (actual !== hash) return yield* new Refused({ message: `the SHA-256 of what was sent is ${actual}` })
      const text = Buffer.from(content).toString("utf8")
      const { files, versions } = yield* Effect.mapError(
        decode(text),
        ({ message }) => new Refused({ message: `this is no bundle: ${message}` })
      )
      if (!(entryName in files)) return yield* new Refused({ message: `the bundle has no file ${entryName}` })
      const other = mismatch(versions)
      if (other !== undefined) return yield* new Refused({ message: other })
      yield* this.#store.addBundle({ hash, content: text, uploadedAt: at })
    })
  }

  /** Whether a job may have it: what is unpacked here may be that of a store that is no more. */
  check(hash: string): Effect.Effect<void, NotFound | StoreError> {
    return Effect.flatMap(
      this.#store.bundle(hash),
      (content) => content === undefined ? Effect.fail(missing(hash)) : Effect.void
    )
  }

  /** Where its code is, for its job of that id. */
  code(hash: string): Effect.Effect<Code, NotFound | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const folder = join(this.#folder, hash)
      if (!existsSync(folder)) {
        const content = yield* this.#store.bundle(hash)
        if (content === undefined) return yield* missing(hash)
        // what was stored has been checked
        const bundle = yield* Effect.orDie(decode(content))
        yield* Effect.try({
          try: () => unpack(folder, bundle),
          catch: (error) =>
            new StoreError({
              operation: "unpack",
              message: `the bundle cannot be unpacked to ${folder}: ${String(error)}`
            })
        })
      }
      return { module: pathToFileURL(join(folder, entryName)).href, confinement: { ...this.#allowed, folder } }
    })
  }

  forget(hash: string): void {
    rmSync(join(this.#folder, hash), { recursive: true, force: true })
  }
}

const missing = (hash: string) => new NotFound({ id: hash, message: `the bundle ${hash} is not here; upload it first` })

/** There all of it or not at all. */
const unpack = (folder: string, { files }: Bundle): void => {
  if (existsSync(folder)) return
  const partial = `${folder}.${crypto.randomUUID()}`
  mkdirSync(partial, { recursive: true })
  for (const [name, file] of Object.entries(files)) {
    writeFileSync(join(partial, name), "text" in file ? file.text : Buffer.from(file.base64, "base64"))
  }
  writeFileSync(join(partial, "package.json"), "{\"type\":\"module\"}")
  renameSync(partial, folder)
}
