/** The descriptions of registered jobs, for those who submit them. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { NotFound } from "../errors.ts"
import type { Launcher } from "../JobProcess.ts"
import { variablesOf } from "../jobVariables.ts"
import type { Manager, ManagerOptions } from "../Manager.ts"
import type { JobType } from "../models.ts"

/** A description is kept for a while, because its module may change; why there is none may be over at the next question. */
const keptFor = (exit: Exit.Exit<unknown, unknown>) => Exit.isSuccess(exit) ? "1 minute" : 0

/** Returns a function that describes a registered job. Those who ask at once share one answer. */
export const jobTypes = (
  { jobs, variables }: Pick<ManagerOptions, "jobs" | "variables">,
  launcher: Pick<Launcher, "describe">
): Manager["Service"]["jobType"] => {
  const types = new Map(jobs.map(({ module, name }) => {
    const described = Effect.map(
      launcher.describe({ module }, variablesOf(variables)),
      (payload): JobType => ({ name, ...(payload === undefined ? {} : { payload }) })
    )
    return [name, Effect.runSync(Effect.cachedWithTTL(described, keptFor))]
  }))
  return (name) => {
    const type = types.get(name)
    return type ?? Effect.fail(new NotFound({ id: name, message: `no registered job has the name "${name}"` }))
  }
}
