import { Effect } from "effect"

export default () => Effect.runPromise(Effect.void)
