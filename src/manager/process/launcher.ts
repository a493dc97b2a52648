/** Starts job processes on this machine, and the inspectors that check submissions before. */
import * as Effect from "effect/Effect"
import { pathOf } from "../../jobProcess/jobModule.ts"
import { nodeArgs } from "../code/confinement.ts"
import type { Code, Launcher } from "../JobProcess.ts"
import type { Submission } from "../models.ts"
import { Inspector, type LoadedModule } from "./inspector.ts"
import { jobEnvironment } from "./jobEnvironment.ts"
import { limitsOf, startJobProcess } from "./startJobProcess.ts"

/** One inspector for each module, until it is idle or has failed. */
const inspectors = new Map<string, Inspector>()

const inspectorOf = ({ confinement, module }: Code): Inspector => {
  const known = inspectors.get(module)
  if (known !== undefined) return known
  const env = jobEnvironment()
  const inspector: Inspector = new Inspector({
    module,
    nodeArgs: nodeArgs(confinement),
    env,
    loadMs: limitsOf(env).loadMs,
    onEnd: () => void (inspectors.get(module) === inspector && inspectors.delete(module))
  })
  inspectors.set(module, inspector)
  return inspector
}

/** Returns the name of a module's job: its default export, or its only job. Fails with a message for people. */
export const inspect = (module: string): Effect.Effect<string, string> =>
  Effect.flatMap(
    Effect.promise((): Promise<LoadedModule> => inspectorOf({ module }).loaded),
    ({ job, refusal }) =>
      job === undefined
        ? Effect.fail(refusal ?? `the module ${pathOf(module)} exports no job`)
        : Effect.succeed(job)
  )

/**
 * Checks that the module exports the job, that the payload matches its Schema, and that its settings can be used. Fails with
 * a message for people.
 */
export const checkSubmission = (code: Code, submission: Submission): Effect.Effect<void, string> =>
  Effect.flatMap(
    Effect.promise(() => inspectorOf(code).check(submission)),
    (refusal) => refusal === undefined ? Effect.void : Effect.fail(refusal)
  )

/** Runs jobs in processes of their own, on this machine. */
export const launcher: Launcher = { start: startJobProcess, check: checkSubmission }
