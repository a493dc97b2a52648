import { Effect } from "effect"
import { Numbers } from "./numbers.ts"
import { countPrimes } from "./primes.ts"

export const handlers = Numbers.group.toLayer({
  double: ({ n }) => Effect.succeed(2 * n),
  primes: ({ to }) => Effect.sync(() => countPrimes(to))
})
