// The implementation, which a host loads. The service beneath it lives and ends in the same host.
import { Host, Service } from "autostop"
import { Context, Effect, Layer, Stream } from "effect"
import { Primes, TooLarge } from "./primes.ts"

/** The primes up to 10,000, which larger numbers are divided by. */
class Table extends Context.Service<Table, { readonly divisors: ReadonlyArray<number>; readonly limit: number }>()(
  "Table"
) {
  static readonly layer = Service.layer(
    Table,
    Effect.acquireRelease(
      Effect.sync(() => {
        const divisors: Array<number> = []
        for (let n = 2; n < 10_000; n++) if (isPrime(n, divisors)) divisors.push(n)
        return { divisors, limit: 10_000 ** 2 }
      }),
      ({ divisors }) => Effect.sync(() => void (divisors.length = 0))
    )
  )
}

const isPrime = (n: number, divisors: ReadonlyArray<number>): boolean => {
  for (const by of divisors) {
    if (by * by > n) break
    if (n % by === 0) return false
  }
  return n > 1
}

const handlers = Primes.group.toLayer(Effect.gen(function*() {
  const { divisors, limit } = yield* Table
  const tooLarge = new TooLarge({ limit })
  return Primes.group.of({
    count: ({ from, to }) =>
      to > limit ? Effect.fail(tooLarge) : Effect.sync(() => {
        let count = 0
        for (let n = from; n <= to; n++) if (isPrime(n, divisors)) count++
        return count
      }),
    list: ({ from, to }) =>
      to > limit ? Stream.fail(tooLarge) : Stream.filter(Stream.range(from, to), (n) => isPrime(n, divisors))
  })
}))

export default Host.serve(Primes, Layer.provide(handlers, Table.layer))
