import { Host } from "autostop"
import { Effect } from "effect"
import { Counter } from "./counter.ts"
import { first } from "./words.ts"

export default Host.serve(Counter, Counter.group.toLayer({ next: () => Effect.succeed(first) }))
