/** Calls to the smallest of services, wherever it lives: one after the other, or many at once. */
import { Host, Pipeline } from "autostop"
import { type Context, Effect, Layer, Stream } from "effect"
import type { Figures, Unit, Variant } from "./case.ts"
import { Numbers } from "./hosts/numbers.ts"
import { runJob } from "./job.ts"
import { perElement } from "./measure.ts"
import { type Peer, rpc } from "./peers.ts"

export const figures: { readonly time: Unit } = { time: "ns" }

const calls = 10_000
/** The sum of all results. */
const expected = calls * (calls - 1)

type Double = (n: number) => Effect.Effect<number>

/** All calls within one program, that many at once. */
const program = (double: Double, inFlight: number): Effect.Effect<number> =>
  Effect.suspend(() => {
    let sum = 0
    return Effect.forEach(numbers, (n) => Effect.map(double(n), (result) => void (sum += result)), {
      concurrency: inFlight,
      discard: true
    }).pipe(Effect.map(() => sum))
  })

const numbers = Array.from({ length: calls }, (_, n) => n)

/** The same with promises. */
const loops = async ({ double }: Peer, inFlight: number): Promise<number> => {
  let sum = 0
  let next = 0
  const loop = async () => {
    while (next < calls) {
      const n = await double(next++)
      sum += n
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return sum
}

const measure = (double: Double, inFlight: number): Promise<Figures> =>
  perElement(calls, expected, () => Effect.runPromise(program(double, inFlight)))

/** The service in a job, for something that measures. */
export const withNumbers = <A>(
  options: Host.Options,
  use: (client: Numbers["Service"], context: Context.Context<never>) => Promise<A>,
  observability?: Layer.Layer<never>
): Promise<A> =>
  runJob(
    Effect.gen(function*() {
      const client = yield* Numbers
      const context = yield* Effect.context<never>()
      return yield* Effect.promise(() => use(client, context))
    }),
    { services: Layer.orDie(Host.layer(Numbers, options)), observability }
  ).then(({ value }) => value)

export const autostopCalls = (name: string, host: Host.HostKind, inFlight: number): Variant => ({
  name,
  run: () => withNumbers({ host }, (client) => measure((n) => Effect.orDie(client.double({ n })), inFlight))
})

/** The same calls within the span of the job's `run`, observed or not. */
export const observedCalls = (name: string, inFlight: number, observability?: Layer.Layer<never>): Variant => ({
  name,
  run: () =>
    withNumbers(
      { host: "thread" },
      (client, context) =>
        perElement(calls, expected, () =>
          Effect.runPromiseWith(context)(program((n) =>
            Effect.orDie(client.double({ n })), inFlight))),
      observability
    )
})

/** The same calls as a stage of a pipeline. */
export const pipelineCalls = (name: string, host: Host.HostKind, concurrency: number): Variant => ({
  name,
  run: () =>
    withNumbers({ host }, (client, context) =>
      perElement(calls, expected, () =>
        Stream.range(0, calls - 1).pipe(
          Pipeline.mapParallel((n) => client.double({ n }), { concurrency }),
          Stream.runFold(() => 0, (sum, n) => sum + n),
          Effect.runPromiseWith(context)
        )))
})

export const rpcCalls = (name: string, kind: "thread" | "process", inFlight: number): Variant => ({
  name,
  run: () => rpc(kind)((double) => measure(double, inFlight))
})

export const peerCalls = (name: string, open: () => Peer, inFlight: number): Variant => ({
  name,
  run: async () => {
    const peer = open()
    const figures = await perElement(calls, expected, () => loops(peer, inFlight))
    await peer.close()
    return figures
  }
})
