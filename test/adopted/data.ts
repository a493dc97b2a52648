import {
  Cache,
  Context,
  Effect,
  FiberHandle,
  FiberMap,
  FiberSet,
  Latch,
  Layer,
  LayerMap,
  Logger,
  Metric,
  Option,
  Pool,
  PubSub,
  Queue,
  RcMap,
  RcRef,
  Resource,
  Schedule,
  type Scope,
  ScopedCache,
  ScopedRef,
  Semaphore,
  Stream,
  SubscriptionRef
} from "effect"
import { AtomRegistry, Reactivity } from "effect/reactivity"
import { TestClock, TestConsole } from "effect/testing"
import type { Layers } from "./layers.ts"

/** A layer of one service, as people make them. */
export const provides = <E, R>(
  key: string,
  acquire: Effect.Effect<unknown, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope>> => Layer.effect(Context.Service<unknown>(`adopted/${key}`), acquire)

/** Something that has to be released. */
const connection = Effect.acquireRelease(Effect.sync(() => ({ isOpen: true })), (it) =>
  Effect.sync(() => {
    it.isOpen = false
  }))

class Connection extends Context.Service<Connection, string>()("adopted/Connection") {}

/** Asks for something of a resource while it is built, so that there is something to release. */
const used = <A, E, R, X, E2, R2>(make: Effect.Effect<A, E, R>, use: (a: A) => Effect.Effect<X, E2, R2>) =>
  Effect.tap(make, use)

export const data: Layers = {
  "Queue": provides("Queue", Effect.acquireRelease(Queue.unbounded<string>(), Queue.shutdown)),
  "Queue, bounded, with a consumer": provides(
    "Consumer",
    Effect.tap(
      Effect.acquireRelease(Queue.bounded<string>(8), Queue.shutdown),
      (queue) => Effect.forkScoped(Effect.forever(Queue.take(queue)))
    )
  ),
  "PubSub": provides("PubSub", Effect.acquireRelease(PubSub.unbounded<string>(), PubSub.shutdown)),
  "PubSub.subscribe": provides("Subscription", Effect.flatMap(PubSub.unbounded<string>(), PubSub.subscribe)),
  "Pool.make": provides("Pool", Pool.make({ acquire: connection, size: 3 })),
  "Pool.makeWithTTL": provides(
    "PoolWithTTL",
    used(Pool.makeWithTTL({ acquire: connection, min: 1, max: 4, timeToLive: "1 minute" }), Pool.get)
  ),
  "RcMap": provides(
    "RcMap",
    used(
      RcMap.make({ lookup: (key: string) => Effect.as(connection, key), idleTimeToLive: "1 minute" }),
      (map) => RcMap.get(map, "a")
    )
  ),
  "RcRef": provides("RcRef", used(RcRef.make({ acquire: connection, idleTimeToLive: "1 minute" }), RcRef.get)),
  "ScopedCache": provides(
    "ScopedCache",
    used(
      ScopedCache.make({ lookup: (key: string) => Effect.as(connection, key), capacity: 8 }),
      (cache) => ScopedCache.get(cache, "a")
    )
  ),
  "ScopedRef": provides("ScopedRef", ScopedRef.fromAcquire(connection)),
  "Cache": provides("Cache", Cache.make({ lookup: (key: string) => Effect.succeed(key.length), capacity: 8 })),
  "LayerMap": provides(
    "LayerMap",
    used(
      LayerMap.make((key: string) => Layer.effect(Connection, Effect.as(connection, key)), {
        idleTimeToLive: "1 minute"
      }),
      (map) => map.contextEffect("a")
    )
  ),
  "Resource.auto": provides("Resource", Resource.auto(Effect.succeed(1), Schedule.spaced("1 minute"))),
  "FiberHandle": provides("FiberHandle", used(FiberHandle.make(), (handle) => FiberHandle.run(handle, Effect.never))),
  "FiberMap": provides("FiberMap", used(FiberMap.make<string>(), (map) => FiberMap.run(map, "a", Effect.never))),
  "FiberSet": provides("FiberSet", used(FiberSet.make(), (set) => FiberSet.run(set, Effect.never))),
  "FiberSet.makeRuntime": provides(
    "FiberSetRuntime",
    used(FiberSet.makeRuntime<never>(), (run) => Effect.sync(() => run(Effect.never)))
  ),
  "Semaphore, held": provides(
    "Semaphore",
    used(Semaphore.make(1), (it) => Effect.acquireRelease(it.take(1), (permits) => it.release(permits)))
  ),
  "Latch": provides("Latch", Effect.acquireRelease(Latch.make(), (latch) => latch.open)),
  "SubscriptionRef, followed": provides(
    "SubscriptionRef",
    used(SubscriptionRef.make(1), (ref) => Effect.forkScoped(Stream.runDrain(SubscriptionRef.changes(ref))))
  ),
  "a fiber on a Schedule": Layer.effectDiscard(
    Effect.forkScoped(Effect.repeat(Effect.void, Schedule.spaced("20 millis")))
  ),
  "a fiber that runs a Stream": Layer.effectDiscard(Effect.forkScoped(Stream.runDrain(Stream.tick("20 millis")))),
  "a Stream shared by several": provides("Shared", Stream.share(Stream.never, { capacity: 8 })),
  "a fiber that notices its end": Layer.effectDiscard(
    Effect.forkScoped(Effect.onInterrupt(Effect.never, () => Effect.sleep("5 millis")), { startImmediately: true })
  ),
  "Logger.layer": Layer.merge(Logger.layer([Logger.formatJson]), provides("Logs", connection)),
  "Logger.batched": provides(
    "Batched",
    Logger.batched(Logger.formatJson, { window: "1 minute", flush: () => Effect.void })
  ),
  "Metric.enableRuntimeMetricsLayer": Layer.merge(Metric.enableRuntimeMetricsLayer, provides("Metrics", connection)),
  "Reactivity.layer": Layer.tap(Reactivity.layer, () => connection),
  "AtomRegistry.layer": AtomRegistry.layer,
  "TestClock.layer": TestClock.layer(),
  "TestConsole.layer": Layer.merge(TestConsole.layer, provides("Console", connection)),
  "a value that was acquired in an Option": provides("Option", Effect.map(connection, Option.some))
}
