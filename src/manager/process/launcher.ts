/** Starts job processes on this machine, and the inspectors that check submissions before. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { pathOf } from "../../jobProcess/jobModule.ts"
import { Bundle, entryName } from "../code/bundle.ts"
import type { Bundled } from "../code/bundler.ts"
import { bundleHooks, nodeArgs } from "../code/confinement.ts"
import { unpack } from "../code/uploadedBundles.ts"
import type { Code, Launcher } from "../JobProcess.ts"
import { variablesOf } from "../jobVariables.ts"
import type { ManagerOptions } from "../Manager.ts"
import { Inspector, type LoadedModule } from "./inspector.ts"
import { childSettings } from "./jobChild.ts"
import { jobEnvironment } from "./jobEnvironment.ts"
import { Spares } from "./spares.ts"
import { limitsOf, startJobProcess } from "./startJobProcess.ts"

/** One inspector for each module, until it is idle or has failed. */
const inspectors = new Map<string, Inspector>()

interface Surroundings {
  readonly nodeArgs?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

const inspectorOf = ({ confinement, module }: Code, given: Surroundings = {}): Inspector => {
  const known = inspectors.get(module)
  if (known !== undefined) return known
  const env = jobEnvironment(given.env)
  const inspector: Inspector = new Inspector({
    module,
    nodeArgs: [...given.nodeArgs ?? [], ...nodeArgs(confinement)],
    env,
    loadMs: limitsOf(env).loadMs,
    onEnd: () => void (inspectors.get(module) === inspector && inspectors.delete(module))
  })
  inspectors.set(module, inspector)
  return inspector
}

/** Returns the name of a module's job: its default export, or its only job. Fails with a message for people. */
export const inspect = (module: string, given?: Surroundings): Effect.Effect<string, string> =>
  Effect.flatMap(
    Effect.promise((): Promise<LoadedModule> => inspectorOf({ module }, given).loaded),
    ({ job, refusal }) =>
      job === undefined
        ? Effect.fail(refusal ?? `the module ${pathOf(module)} exports no job`)
        : Effect.succeed(job)
  )

/**
 * Returns the name of the job of a module that is to be uploaded. Its bundle is loaded as the manager will load it: what the
 * module may have that Node alone does not take is no obstacle. Fails with a message for people.
 */
export const inspectBundle = (module: string, { content }: Bundled): Effect.Effect<string, string> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "autostop-bundle-"))),
    (folder) => {
      const unpacked = join(folder, "bundle")
      unpack(unpacked, Schema.decodeUnknownSync(Schema.fromJsonString(Bundle))(Buffer.from(content).toString("utf8")))
      const file = join(unpacked, entryName)
      return Effect.mapError(
        inspect(pathToFileURL(file).href, { nodeArgs: [`--import=${bundleHooks.href}`] }),
        (message) => message.replaceAll(file, module).replaceAll(unpacked, dirname(module))
      )
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/**
 * Checks that the module exports the job, that the payload matches its Schema, and that its settings can be used. Fails with
 * a message for people.
 */
export const checkSubmission: Launcher["check"] = (code, submission, env) =>
  Effect.flatMap(
    Effect.promise(() => inspectorOf(code, env === undefined ? {} : { env }).check(submission)),
    (refusal) => refusal === undefined ? Effect.void : Effect.fail(refusal)
  )

/** Opens a launcher that runs jobs in processes of their own, on this machine. */
export const openLauncher = (
  { jobs, limits, spares, variables }: Pick<ManagerOptions, "jobs" | "limits" | "spares" | "variables">
): Effect.Effect<Launcher, never, Scope.Scope> =>
  Effect.gen(function*() {
    const waiting = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Spares({
          // uploaded code has no use for them
          most: jobs.length === 0 ? 0 : spares,
          settings: () => childSettings({ limits, env: variablesOf(variables) })
        })
      ),
      (waiting) => Effect.sync(() => waiting.keep(0))
    )
    return {
      prepare: (slots) => waiting.keep(slots),
      start: (options) => startJobProcess(options, waiting),
      check: checkSubmission
    }
  })
