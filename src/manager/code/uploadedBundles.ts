/** The uploaded bundles: kept in the store, and unpacked into a folder when a job needs them. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { messageOf } from "../../base/errorText.ts"
import { Busy, NotFound, Refused, StoreError } from "../errors.ts"
import type { Code, Permissions } from "../JobProcess.ts"
import type { JobStore } from "../JobStore.ts"
import { type Bundle, entryName, readBundle } from "./bundle.ts"
import { checkInThread } from "./checkInThread.ts"

/** The age from which a bundle that no job uses makes room for others: its submit comes right after its upload. */
const unusedMs = 60 * 60 * 1_000

export interface UploadedBundlesOptions {
  /** The folder for unpacked bundles. */
  readonly folder: string
  readonly permissions: Permissions
  /** The size of all bundles in the store together. */
  readonly bytes: number
}

export class UploadedBundles {
  readonly #store: JobStore["Service"]
  readonly #folder: string
  readonly #permissions: Permissions
  readonly #bytes: number
  /** The uploads are checked and stored one after the other, so that each is measured with all before it. */
  readonly #storing = Semaphore.makeUnsafe(1)

  constructor(store: JobStore["Service"], { bytes, folder, permissions }: UploadedBundlesOptions) {
    this.#store = store
    this.#folder = folder
    this.#permissions = permissions
    this.#bytes = bytes
    // an earlier manager that was killed may have left partial folders
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (name.includes(".")) rmSync(join(folder, name), { recursive: true, force: true })
    }
  }

  /** Stores a bundle; it is on disk before this returns. A bundle that exists is not changed. */
  add(hash: string, content: Uint8Array, at: string): Effect.Effect<void, Refused | Busy | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const fault = yield* checkInThread(hash, content)
      if (fault !== undefined) return yield* new Refused({ message: fault })
      yield* this.#makeRoom(hash, content.length, at)
      yield* this.#store.addBundle({ hash, content: Buffer.from(content).toString("utf8"), uploadedAt: at })
    }).pipe(this.#storing.withPermit)
  }

  /** Removes bundles that no job uses if there is no room for this one. Fails if that is not enough. */
  #makeRoom(hash: string, bytes: number, at: string): Effect.Effect<void, Busy | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const others = this.#store.bundleBytes(hash)
      if ((yield* others) + bytes <= this.#bytes) return
      const unused = yield* this.#store.removeBundles(new Date(Date.parse(at) - unusedMs).toISOString())
      unused.forEach((hash) => this.removeFiles(hash))
      const kept = yield* others
      if (kept + bytes <= this.#bytes) return
      return yield* new Busy({
        message:
          `the bundle has ${bytes} bytes, the others have ${kept}, and this manager keeps at most ${this.#bytes} ` +
          "together: remove jobs with \"autostop clean\", or start the manager with a larger --max-bundles"
      })
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
        yield* Effect.mapError(unpackInTurns(folder, readBundle(content)), ({ message }) =>
          new StoreError({
            operation: "unpack",
            message: `the bundle ${hash} cannot be unpacked to ${folder}: ${message}`
          }))
      }
      return { module: pathToFileURL(join(folder, entryName)).href, confinement: { ...this.#permissions, folder } }
    })
  }

  removeFiles(hash: string): void {
    rmSync(join(this.#folder, hash), { recursive: true, force: true })
  }
}

const missing = (hash: string) => new NotFound({ id: hash, message: `there is no bundle ${hash}: upload it first` })

/** The number of files that are written in one turn of the event loop. */
const filesAtOnce = 50

/** Unpacks a bundle in pieces, so that the manager answers others meanwhile. */
const unpackInTurns = (folder: string, bundle: Bundle): Effect.Effect<void, { readonly message: string }> =>
  Effect.suspend(() => {
    const steps = unpacking(folder, bundle)
    const step = Effect.try({
      try: () => steps.next().done === true,
      catch: (error) => ({ message: messageOf(error) })
    })
    const rest: Effect.Effect<void, { readonly message: string }> = Effect.flatMap(
      step,
      (isDone) => isDone ? Effect.void : Effect.andThen(Effect.sleep(0), rest)
    )
    return Effect.ensuring(rest, Effect.sync(() => steps.return()))
  })

/** Unpacks the whole bundle or nothing. */
export const unpack = (folder: string, bundle: Bundle): void => {
  for (const _ of unpacking(folder, bundle));
}

/** Unpacks some files at each step. */
function* unpacking(folder: string, { files }: Bundle): Generator<void, void> {
  const partial = `${folder}.${crypto.randomUUID()}`
  mkdirSync(partial, { recursive: true })
  try {
    let written = 0
    for (const [name, file] of Object.entries(files)) {
      writeFileSync(join(partial, name), "text" in file ? file.text : Buffer.from(file.base64, "base64"))
      if (++written % filesAtOnce === 0) yield
    }
    writeFileSync(join(partial, "package.json"), "{\"type\":\"module\"}")
    // another job of the same bundle may have been faster
    if (!existsSync(folder)) renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}
