/** The least that a job in a process of its own can be: Effect, and nothing to do. */
import { Effect } from "effect"

await Effect.runPromise(Effect.void)
