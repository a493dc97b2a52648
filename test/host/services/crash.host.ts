import { Context, Effect, Layer } from "effect"
import { appendFileSync, writeFileSync } from "node:fs"
import { threadId } from "node:worker_threads"
import { Host, Service } from "../../../src/index.ts"
import { type Crash, Crashing } from "./crash.ts"

// safe: only `crashing` makes the URLs of this module
const { event, journal, moment } = JSON.parse(decodeURIComponent(new URL(import.meta.url).search.slice(1))) as Crash

const deep = (n: number): number => 1 + deep(n + 1)
const fill = () => {
  const kept: Array<unknown> = []
  while (true) kept.push(Array.from({ length: 10_000 }, () => ({ kept })))
}
const fail = (): never => {
  throw new Error("nobody catches this")
}
const crashes: { readonly [E in Crash["event"]]: () => void } = {
  exception: () => queueMicrotask(fail),
  rejection: () => void Promise.reject(new Error("nobody catches this")),
  exit: () => process.exit(9),
  timer: () => void setTimeout(fail, 5),
  overflow: () => void setImmediate(() => deep(0)),
  memory: () => void setImmediate(fill)
}

/** The first host that comes to the moment crashes; one that replaces it does not. */
const crashAt = (now: Crash["moment"]): void => {
  if (now !== moment) return
  try {
    writeFileSync(`${journal}.crashed`, "", { flag: "wx" })
  } catch {
    return
  }
  crashes[event]()
}

if (moment === "load") {
  crashAt("load")
  await new Promise(() => {})
}

class Beneath extends Context.Service<Beneath, { readonly name: string }>()("test/Beneath") {
  static readonly layer = Service.layer(
    Beneath,
    Effect.acquireRelease(
      Effect.sync(() => {
        appendFileSync(journal, "acquired\n")
        return { name: "beneath" }
      }),
      () =>
        Effect.gen(function*() {
          crashAt("release")
          yield* Effect.sleep(moment === "release" ? 100 : 0)
          appendFileSync(journal, "released\n")
        })
    )
  )
}

/** A layer that takes a while. */
const slow = Layer.effectDiscard(Effect.gen(function*() {
  yield* Beneath
  crashAt("start")
  if (moment === "start") return yield* Effect.never
}))

const handlers = Crashing.group.toLayer(Effect.gen(function*() {
  yield* Beneath
  return Crashing.group.of({
    who: () =>
      Effect.sync(() => {
        // by then the answer is on its way
        setTimeout(() => crashAt("idle"), 20)
        return `${process.pid}/${threadId}`
      }),
    crash: () => Effect.andThen(Effect.sync(() => crashAt("call")), Effect.never)
  })
}))

export default Host.serve(Crashing, handlers.pipe(Layer.provide(slow), Layer.provide(Beneath.layer)))
