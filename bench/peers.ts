/** Other ways to a function that lives somewhere else. */
import * as NodeWorker from "@effect/platform-node/NodeWorker"
import { Effect, Layer } from "effect"
import { RpcClient } from "effect/rpc"
import { fork, type SerializationType } from "node:child_process"
import { Worker } from "node:worker_threads"
import { Piscina } from "piscina"
import { Numbers } from "./hosts/numbers.ts"

export interface Peer {
  readonly double: (n: number) => Promise<number>
  readonly close: () => Promise<unknown>
}

const at = (name: string): URL => new URL(`./hosts/${name}.ts`, import.meta.url)

/** A message for each call, and one for each answer. */
const messages = (
  post: (message: object) => void,
  onMessage: (listener: (message: { readonly id: number; readonly n: number }) => void) => void
): Peer["double"] => {
  const waiting = new Map<number, (n: number) => void>()
  let id = 0
  onMessage(({ id, n }) => {
    waiting.get(id)?.(n)
    waiting.delete(id)
  })
  return (n) =>
    new Promise((resolve) => {
      waiting.set(++id, resolve)
      post({ id, n })
    })
}

export const rawThread = (): Peer => {
  const worker = new Worker(at("rawThread"))
  return {
    double: messages(
      (message) => worker.postMessage(message, []),
      (listener) => worker.on("message", listener)
    ),
    close: () => worker.terminate()
  }
}

export const rawProcess = (serialization: SerializationType): Peer => {
  const child = fork(at("rawProcess"), { serialization })
  return {
    double: messages(
      (message) => child.send(message),
      (listener) => child.on("message", listener)
    ),
    close: () =>
      new Promise((resolve) => {
        child.once("exit", resolve)
        child.disconnect()
      })
  }
}

/** One thread, which takes that many calls at once. */
export const piscina = (concurrentTasksPerWorker = 1): Peer => {
  const pool = new Piscina({ filename: at("piscina").href, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker })
  return { double: (n) => pool.run({ n }), close: () => pool.destroy() }
}

/** Effect's own RPC client, with a thread or a process. */
export const rpc = (kind: "thread" | "process") => {
  const workers = NodeWorker.layer(() => kind === "thread" ? new Worker(at("rpc")) : fork(at("rpc")))
  const protocol = Layer.provide(RpcClient.layerProtocolWorker({ size: 1, concurrency: 64 }), workers)
  return <A>(use: (double: (n: number) => Effect.Effect<number>) => Promise<A>): Promise<A> =>
    RpcClient.make(Numbers.group, { disableTracing: true }).pipe(
      Effect.flatMap((client) => Effect.promise(() => use((n) => Effect.orDie(client.double({ n }))))),
      Effect.scoped,
      Effect.provide(protocol),
      Effect.runPromise
    )
}
