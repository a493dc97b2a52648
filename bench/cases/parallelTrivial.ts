import { Effect } from "effect"
import { parallelCase } from "../parallel.ts"

export default parallelCase({
  title: "mapParallel, concurrency 16, an effect that ends at once, time for each of 100,000 elements",
  effect: (n) => Effect.succeed(n + 1),
  plain: (n) => n + 1
})
