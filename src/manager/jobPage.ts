/** The page of one job that another part of this program runs: a job manager that has this job, and takes no other. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Refused } from "./errors.ts"
import { PageSessions } from "./http/pageSessions.ts"
import type { JobProcess, JobProcessOptions, Launcher } from "./JobProcess.ts"
import { layerManager } from "./managerLayer.ts"
import { Address } from "./http/server.ts"
import { Manager } from "./Manager.ts"
import { managerTokens } from "./managerTokens.ts"
import { pageAddress } from "./pageAddress.ts"
import { readOptions } from "./readOptions.ts"
import { ResultFiles } from "./resultFile.ts"

/** The job of a page. */
export interface PagedJob {
  readonly id: string
  readonly name: string
  /** The module that exports it, as a URL. */
  readonly module: string
  /** Returns its process, which runs already, and passes on what happens to it from its start. */
  readonly watch: (options: JobProcessOptions) => JobProcess
}

export interface JobPage {
  /** The address that opens the page in a browser, once and within a minute. */
  readonly address: string
  /** The address of the server. */
  readonly url: string
  /** Waits until the server has the end of the job. */
  readonly ended: Effect.Effect<void>
  /** Returns true once a browser has opened the page. */
  readonly isOpen: () => boolean
}

/** Serves the page on a port of this machine, until the Scope closes. Then nothing is left of it. */
export const openJobPage = (job: PagedJob): Effect.Effect<JobPage, { readonly message: string }, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    new ResultFiles(folder).create()
    const { id, module, name } = job
    const options = { jobs: [], folder, concurrency: 1, spares: 0, uploads: false } as const
    const { prove, publish, tokens, unpublish } = yield* managerTokens(options, folder)
    const sessions = new PageSessions()
    const context = yield* Layer.build(layerManager({
      telemetry: { jobs: Context.empty(), server: Context.empty() },
      server: { port: 0, tokens, prove, sessions },
      manager: { ...yield* readOptions(options), jobs: [{ name, module }] },
      store: join(folder, "jobs.db"),
      launcher: launcherOf(job)
    }))
    const manager = Context.get(context, Manager)
    const { url } = Context.get(context, Address)
    // the user's other commands find it as they find any manager
    publish(url)
    yield* Effect.addFinalizer(() => Effect.sync(unpublish))
    yield* manager.begin
    yield* manager.submit({ id, job: name })
    return {
      address: pageAddress(url, yield* sessions.newCode("operate"), `/jobs/${id}`),
      url,
      ended: Effect.ignore(Stream.runDrain(manager.events(id, { after: 0, follow: true }))),
      isOpen: () => sessions.areAny
    }
  })

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "autostop-page-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const launcherOf = ({ id, watch }: PagedJob): Launcher => ({
  prepare: () => {},
  start: watch,
  check: (_, submission) => submission.id === id ? Effect.void : Effect.fail(oneJob),
  describe: () => Effect.fail(oneJob)
})

const oneJob = new Refused({
  message: "\"autostop run\" has this one job and takes no other: start a job manager with \"autostop serve\""
})
