import { Effect } from "effect"
import { parallelCase } from "../parallel.ts"

export default parallelCase({
  title: "mapParallel, concurrency 16, a promise that is resolved, time for each of 100,000 elements",
  effect: (n) => Effect.promise(() => Promise.resolve(n + 1)),
  plain: (n) => Promise.resolve(n + 1)
})
