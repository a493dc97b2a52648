/** Starts job processes on this machine, and the inspectors that check submissions before. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { waitFor } from "../../base/waits.ts"
import { pathOf } from "../../jobProcess/jobModule.ts"
import { entryName, readBundle } from "../code/bundle.ts"
import type { Bundled } from "../code/bundler.ts"
import { bundleHooks, nodeArgs } from "../code/confinement.ts"
import { unpack } from "../code/uploadedBundles.ts"
import { type Busy, Refused } from "../errors.ts"
import type { Code, Launcher } from "../JobProcess.ts"
import { type Inspected, InspectorPool, type PoolOptions } from "./inspectorPool.ts"
import { jobEnvironment } from "./jobEnvironment.ts"
import { Spares, type SparesOptions } from "./spares.ts"
import { limitsOf, startJobProcess } from "./startJobProcess.ts"

/** The time that a process which was killed has to be gone, also on a busy machine. */
const goneMs = 2_000

interface Surroundings {
  readonly nodeArgs?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** Runs jobs in processes of their own, on this machine. */
export interface LocalLauncher extends Launcher {
  /** Returns the name of a module's job: its default export, or its only job. */
  readonly inspect: (module: string, given?: Surroundings) => Effect.Effect<string, Refused | Busy>
  /** Ends the processes that have nothing to check, and those that wait for a job. */
  readonly close: Effect.Effect<void>
}

export interface LauncherOptions extends PoolOptions {
  /** The processes that wait for jobs; none by default. */
  readonly spares?: SparesOptions
}

/** Makes a launcher whose checks take no more processes at once, and no more memory for each, than the options say. */
export const makeLauncher = (options: LauncherOptions): LocalLauncher => {
  const pool = new InspectorPool(options)
  const spares = options.spares && new Spares(options.spares)
  return {
    prepare: (slots) => spares?.keep(slots),
    start: (options) => startJobProcess(options, spares),
    check: (code, submission, env) =>
      Effect.flatMap(
        pool.ask(inspectedOf(code, { env }), (inspector) => inspector.check(submission)),
        (refusal) => refusal === undefined ? Effect.void : Effect.fail(new Refused({ message: refusal }))
      ),
    describe: (code, env) =>
      Effect.flatMap(
        pool.ask(inspectedOf(code, { env }, "describe"), (inspector) => inspector.describe()),
        ({ payload, refusal }) =>
          refusal === undefined ? Effect.succeed(payload) : Effect.fail(new Refused({ message: refusal }))
      ),
    inspect: (module, given) =>
      Effect.flatMap(
        pool.ask(inspectedOf({ module }, given), (inspector) => inspector.loaded),
        ({ job, refusal }) =>
          job === undefined
            ? Effect.fail(new Refused({ message: refusal ?? `the module ${pathOf(module)} exports no job` }))
            : Effect.succeed(job)
      ),
    // who closes it wants to find none of them left
    close: Effect.suspend(() =>
      Effect.forEach([...pool.close(), ...spares?.close() ?? []], (gone) => waitFor(gone, goneMs), {
        concurrency: "unbounded",
        discard: true
      })
    )
  }
}

const inspectedOf = (
  { confinement, module }: Code,
  given: Surroundings = {},
  purpose: Inspected["purpose"] = "check"
): Inspected => {
  const env = jobEnvironment(given.env)
  const args = [...given.nodeArgs ?? [], ...nodeArgs(confinement)]
  return { module, purpose, nodeArgs: args, env, loadMs: limitsOf(env).loadMs }
}

/**
 * Returns the name of the job of a module that is to be uploaded. Its bundle is loaded as the manager will load it: what the
 * module may have that Node alone does not take is no obstacle. Fails with a message for people.
 */
export const inspectBundle = (module: string, { content }: Bundled): Effect.Effect<string, string> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "autostop-bundle-"))),
    (folder) => {
      const unpacked = join(folder, "bundle")
      unpack(unpacked, readBundle(Buffer.from(content).toString("utf8")))
      const file = join(unpacked, entryName)
      const { inspect } = makeLauncher({ places: 1 })
      return Effect.mapError(
        inspect(pathToFileURL(file).href, { nodeArgs: [`--import=${bundleHooks.href}`] }),
        ({ message }) => message.replaceAll(file, module).replaceAll(unpacked, dirname(module))
      )
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
