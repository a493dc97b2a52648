/** Finds the code of a submission: the module of a registered job, or an uploaded bundle. */
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { type Busy, type NotFound, Refused, type StoreError } from "../errors.ts"
import type { Code } from "../JobProcess.ts"
import type { JobStore } from "../JobStore.ts"
import type { ManagerOptions } from "../Manager.ts"
import type { Submission } from "../models.ts"
import { UploadedBundles } from "./uploadedBundles.ts"

export class JobCode {
  readonly #modules: ReadonlyMap<string, string>
  readonly #bundles: UploadedBundles | undefined

  constructor(store: JobStore["Service"], { folder, jobs, quotas, uploads }: ManagerOptions) {
    this.#modules = new Map(jobs.map(({ module, name }) => [name, module]))
    this.#bundles = uploads && new UploadedBundles(store, {
      folder: join(folder, "bundles"),
      permissions: uploads,
      bytes: quotas.bundleBytes
    })
  }

  /** Stores a bundle; it is on disk before this returns. */
  upload(hash: string, content: Uint8Array, at: string): Effect.Effect<void, Refused | Busy | StoreError> {
    return this.#bundles?.add(hash, content, at) ?? Effect.fail(noUploads)
  }

  of({ bundle, job }: Submission): Effect.Effect<Code, Refused | NotFound | StoreError> {
    if (bundle !== undefined) return this.#bundles?.codeOf(bundle) ?? Effect.fail(noUploads)
    const module = this.#modules.get(job)
    if (module !== undefined) return Effect.succeed({ module })
    const known = this.#modules.size === 0
      ? "no jobs are registered"
      : `registered jobs: ${[...this.#modules.keys()].join(", ")}`
    return Effect.fail(new Refused({ message: `no job "${job}" is registered here; ${known}` }))
  }

  /** Fails with `NotFound` if the bundle is gone, so that the client uploads it again. */
  checkBundle({ bundle }: Submission): Effect.Effect<void, NotFound | StoreError> {
    return bundle === undefined ? Effect.void : this.#bundles?.check(bundle) ?? Effect.void
  }

  /** Removes the files of a bundle that was removed from the store. */
  removeFiles(hash: string): void {
    this.#bundles?.removeFiles(hash)
  }
}

const noUploads = new Refused({
  message: "this manager takes no uploads: submit a job that is registered here, by its name"
})
