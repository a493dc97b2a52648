/** The uploaded bundles: kept in the store, and unpacked into a folder when a job needs them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { messageOf } from "../../base/errorText.ts"
import { NotFound, Refused, StoreError } from "../errors.ts"
import type { Code, Permissions } from "../JobProcess.ts"
import type { JobStore } from "../JobStore.ts"
import { Bundle, entryName, hashOf, mismatch } from "./bundle.ts"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Bundle))

export class UploadedBundles {
  readonly #store: JobStore["Service"]
  readonly #folder: string
  readonly #permissions: Permissions

  constructor(store: JobStore["Service"], folder: string, permissions: Permissions) {
    this.#store = store
    this.#folder = folder
    this.#permissions = permissions
    // an earlier manager that was killed may have left partial folders
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (name.includes(".")) rmSync(join(folder, name), { recursive: true, force: true })
    }
  }

  /** Stores a bundle; it is on disk before this returns. A bundle that exists is not changed. */
  add(hash: string, content: Uint8Array, at: string): Effect.Effect<void, Refused | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const actual = hashOf(content)
      if (actual !== hash) {
        return yield* new Refused({
          message: `the SHA-256 of the content is ${actual}; expected ${hash}, which the address names`
        })
      }
      const text = Buffer.from(content).toString("utf8")
      const { files, versions } = yield* Effect.mapError(
        decode(text),
        ({ message }) => new Refused({ message: `the content is no bundle: ${message}` })
      )
      if (!(entryName in files)) {
        return yield* new Refused({ message: `the bundle has no file ${entryName}; expected one that exports the job` })
      }
      const other = mismatch(versions)
      if (other !== undefined) return yield* new Refused({ message: other })
      yield* this.#store.addBundle({ hash, content: text, uploadedAt: at })
    })
  }

  /** Fails if the store has no such bundle. An unpacked folder proves nothing: it may belong to an earlier store. */
  check(hash: string): Effect.Effect<void, NotFound | StoreError> {
    return Effect.flatMap(
      this.#store.bundle(hash),
      (content) => content === undefined ? Effect.fail(missing(hash)) : Effect.void
    )
  }

  /** Returns the location of the code of a bundle, which it unpacks if it is not there. */
  codeOf(hash: string): Effect.Effect<Code, NotFound | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const folder = join(this.#folder, hash)
      if (!existsSync(folder)) {
        const content = yield* this.#store.bundle(hash)
        if (content === undefined) return yield* missing(hash)
        // a stored bundle was checked when it was added
        const bundle = yield* Effect.orDie(decode(content))
        yield* Effect.try({
          try: () => unpack(folder, bundle),
          catch: (error) =>
            new StoreError({
              operation: "unpack",
              message: `the bundle ${hash} cannot be unpacked to ${folder}: ${messageOf(error)}`
            })
        })
      }
      return { module: pathToFileURL(join(folder, entryName)).href, confinement: { ...this.#permissions, folder } }
    })
  }

  removeFiles(hash: string): void {
    rmSync(join(this.#folder, hash), { recursive: true, force: true })
  }
}

const missing = (hash: string) => new NotFound({ id: hash, message: `there is no bundle ${hash}: upload it first` })

/** Unpacks the whole bundle or nothing. */
export const unpack = (folder: string, { files }: Bundle): void => {
  if (existsSync(folder)) return
  const partial = `${folder}.${crypto.randomUUID()}`
  mkdirSync(partial, { recursive: true })
  for (const [name, file] of Object.entries(files)) {
    writeFileSync(join(partial, name), "text" in file ? file.text : Buffer.from(file.base64, "base64"))
  }
  writeFileSync(join(partial, "package.json"), "{\"type\":\"module\"}")
  renameSync(partial, folder)
}
