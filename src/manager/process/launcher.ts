/** Where the processes of jobs come from, and those that are asked beforehand. */
import * as Effect from "effect/Effect"
import { childEnv } from "./jobEnvironment.ts"
import { nodeArgs } from "../code/confinement.ts"
import { Inspector, type Loaded } from "./inspector.ts"
import type { Code, Launcher } from "../JobProcess.ts"
import type { Submission } from "../models.ts"
import { limitsOf, startJobProcess } from "./startJobProcess.ts"

/** One for each module, while it is asked something. */
const inspectors = new Map<string, Inspector>()

const inspectorOf = ({ confinement, module }: Code): Inspector => {
  const known = inspectors.get(module)
  if (known !== undefined) return known
  const env = childEnv()
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

/** The name of the job of a module: its default export, or its only job. Fails with a message for people. */
export const inspect = (module: string): Effect.Effect<string, string> =>
  Effect.flatMap(
    Effect.promise((): Promise<Loaded> => inspectorOf({ module }).loaded),
    ({ job, refusal }) => job === undefined ? Effect.fail(refusal ?? "it has no job") : Effect.succeed(job)
  )

/** Whether the module exports the job, its payload fits, and its settings are right. Fails with a message for people. */
export const checkSubmission = (code: Code, submission: Submission): Effect.Effect<void, string> =>
  Effect.flatMap(
    Effect.promise(() => inspectorOf(code).check(submission)),
    (refusal) => refusal === undefined ? Effect.void : Effect.fail(refusal)
  )

/** Jobs in processes of their own, on this machine. */
export const launcher: Launcher = { start: startJobProcess, check: checkSubmission }
