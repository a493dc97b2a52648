import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { fromConfig, fromOptions, resolve, type Settings, StopPolicy } from "../../StopPolicy.ts"
import type { PolicyError } from "./policyError.ts"
import { type PolicyMillis, policyMillis } from "./policyMillis.ts"
import { fitPolicy, mergePolicy } from "./resolvePolicy.ts"

type Wrong = PolicyError | Config.ConfigError

/** Returns the limits of a program with settings of its own, over the configuration. */
export const programLimits = (settings?: Settings): Effect.Effect<PolicyMillis, Wrong> =>
  Effect.map(
    Effect.flatMap(fromConfig, (config) => resolve([config, fromOptions(settings)])),
    policyMillis
  )

/** The configured settings. They need not fit into the deadline, because a job may set one that they fit into. */
const configured = Effect.gen(function*() {
  return (yield* mergePolicy([yield* fromConfig], yield* StopPolicy.Defaults)).values
})

/** The limits of a program that runs jobs: the configured ones, cut to the configured deadline. */
export const enclosingLimits: Effect.Effect<PolicyMillis, Wrong> = configured.pipe(
  // a limit that nobody has set is cut
  Effect.flatMap((values) => fitPolicy({ values, names: new Map() })),
  Effect.map(policyMillis)
)

/** The configured deadline of a process, in milliseconds; `Infinity` is no limit. */
export const configuredDeadline: Effect.Effect<number, Wrong> = Effect.map(
  configured,
  ({ deadline }) => Duration.toMillis(deadline)
)
