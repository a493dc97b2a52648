import * as NodeStream from "@effect/platform-node/NodeStream"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, PubSub, Queue, Schedule, Stream, type Take } from "effect"
import { PassThrough } from "node:stream"
import { Pipeline } from "../../src/index.ts"
import { after, ascending, between, inJob } from "../support/pipeline.ts"

/** What is outside of the job and hands numbers over; it notes each one. */
class Feed {
  readonly handed: Array<number> = []
  #next = 0
  readonly #pause: number

  constructor(pause: number) {
    this.#pause = pause
  }

  /** Pushes numbers in bursts, for as long as they are taken. */
  push(take: (n: number) => boolean): Effect.Effect<void> {
    const burst = Effect.sync(() => {
      for (let i = this.#next % 4; i >= 0; i--) {
        const n = this.#next++
        if (take(n)) this.handed.push(n)
      }
    })
    return Effect.forever(Effect.andThen(Effect.sleep(this.#pause), burst))
  }

  /** Gives one number after a while. */
  get next(): Effect.Effect<number> {
    return Effect.map(Effect.sleep(this.#pause), () => this.#next++)
  }

  /** Gives one number after a while: from then on it is handed over. */
  get fetch(): Effect.Effect<number> {
    return Effect.tap(this.next, (n) => Effect.sync(() => this.handed.push(n)))
  }
}

type Open = (feed: Feed) => Stream.Stream<number>

const background = <A, E>(stream: Stream.Stream<A, E>, work: Effect.Effect<void>): Stream.Stream<A, E> =>
  Stream.unwrap(Effect.as(Effect.forkScoped(work), stream))

/** A queue that the outside fills, and that the drain ends. The stream goes through an operator before its source. */
const queued = (operator: (self: Stream.Stream<number>) => Stream.Stream<number>, late = 0): Open => (feed) =>
  Stream.unwrap(Effect.gen(function*() {
    const queue = yield* Queue.unbounded<number, Cause.Done>()
    yield* Effect.forkScoped(feed.push((n) => Queue.offerUnsafe(queue, n)))
    const onDrain = Effect.andThen(Effect.sleep(late), Queue.end(queue))
    return Stream.fromQueue(queue).pipe(operator, Pipeline.source("in", { onDrain }))
  }))

const slow = (n: number) => Effect.as(Effect.sleep(n % 7), n)

/** The drain tells these to end: all that was handed over before they had ended is delivered. */
const told: Readonly<Record<string, Open>> = {
  "fromQueue": queued((self) => self),
  "fromQueue, whose end takes a while": queued((self) => self, 25),
  "fromQueue, bounded": (feed) =>
    Stream.unwrap(Effect.gen(function*() {
      const queue = yield* Queue.bounded<number, Cause.Done>(3)
      const offer = Effect.flatMap(feed.next, (n) =>
        Effect.map(Queue.offer(queue, n), (taken) => {
          if (taken) feed.handed.push(n)
        }))
      yield* Effect.forkScoped(Effect.forever(offer))
      return Stream.fromQueue(queue).pipe(Pipeline.source("in", { onDrain: Queue.end(queue) }))
    })),
  "fromPubSubTake": (feed) =>
    Stream.unwrap(Effect.gen(function*() {
      const pubsub = yield* PubSub.unbounded<Take.Take<number>>()
      let isOpen = true
      const push = feed.push((n) => isOpen && PubSub.publishUnsafe(pubsub, [n]))
      const end = Effect.suspend(() => {
        isOpen = false
        return PubSub.publish(pubsub, Exit.void)
      })
      // it subscribes as it is first pulled
      return Stream.merge(
        Stream.fromPubSubTake(pubsub),
        Stream.drain(Stream.fromEffect(Effect.asVoid(Effect.forkScoped(Effect.andThen(Effect.sleep(1), push)))))
      ).pipe(Stream.scoped, Pipeline.source("in", { onDrain: end }))
    })),
  "callback": (feed) => {
    let end: Effect.Effect<unknown> = Effect.void
    return Stream.callback<number>((queue) => {
      end = Queue.end(queue)
      return Effect.forkScoped(feed.push((n) => Queue.offerUnsafe(queue, n)))
    }).pipe(Pipeline.source("in", { onDrain: Effect.suspend(() => end) }))
  },
  "fromAsyncIterable": (feed) => {
    const waiting: Array<number> = []
    let wake = () => {}
    let isOpen = true
    async function* iterate() {
      while (true) {
        for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) yield n
        if (!isOpen) return
        await new Promise<void>((resolve) => wake = resolve)
      }
    }
    const push = feed.push((n) => {
      if (isOpen) waiting.push(n)
      wake()
      return isOpen
    })
    const onDrain = Effect.sync(() => {
      isOpen = false
      wake()
    })
    return background(Stream.fromAsyncIterable(iterate(), String).pipe(Stream.orDie), push).pipe(
      Pipeline.source("in", { onDrain })
    )
  },
  "fromReadableStream": (feed) => {
    let controller: ReadableStreamDefaultController<number> | undefined
    const web = new ReadableStream<number>({ start: (c) => void (controller = c) })
    const push = feed.push((n) => {
      controller?.enqueue(n)
      return controller !== undefined
    })
    const onDrain = Effect.sync(() => {
      controller?.close()
      controller = undefined
    })
    return background(Stream.orDie(Stream.fromReadableStream({ evaluate: () => web, onError: String })), push).pipe(
      Pipeline.source("in", { onDrain })
    )
  },
  "fromReadable of Node": (feed) => {
    const node = new PassThrough({ objectMode: true })
    const push = feed.push((n) => {
      if (node.writableEnded) return false
      node.write({ n })
      return true
    })
    const lines = NodeStream.fromReadable<{ readonly n: number }>({ evaluate: () => node })
    return background(Stream.orDie(lines), push).pipe(
      Pipeline.source("in", { onDrain: Effect.sync(() => node.end()) }),
      Stream.map(({ n }) => n)
    )
  },
  "buffer before the source": queued(Stream.buffer({ capacity: 4 })),
  "mapEffect before the source": queued(Stream.mapEffect(slow)),
  "mapEffect at a concurrency before the source": queued(Stream.mapEffect(slow, { concurrency: 3 })),
  "mapParallel before the source": queued(Pipeline.mapParallel(slow, { concurrency: 3 })),
  "groupedWithin before the source": queued((self) =>
    self.pipe(
      Stream.groupedWithin(5, 13),
      Stream.mapEffect((all) => Effect.as(Effect.sleep(2), all)),
      Stream.flattenIterable
    )
  ),
  "merge before the source": queued((self) => Stream.merge(self, Stream.empty)),
  "throttle before the source": queued(Stream.throttle({ cost: (chunk) => chunk.length, units: 3, duration: 5 })),
  "flatMap at a concurrency before the source": queued(
    Stream.flatMap((n) => Stream.fromEffect(slow(n)), { concurrency: 3 })
  )
}

/** A fetch that cannot be interrupted: what it has fetched is delivered, though nobody tells the stream to end. */
const uninterruptible: Readonly<Record<string, Open>> = {
  "fromEffectRepeat": (feed) => Stream.fromEffectRepeat(Effect.uninterruptible(feed.fetch)),
  "fromEffectSchedule": (feed) => Stream.fromEffectSchedule(Effect.uninterruptible(feed.fetch), Schedule.spaced(7)),
  "fromEffect, repeated": (feed) =>
    Stream.fromEffect(Effect.uninterruptible(feed.fetch)).pipe(Stream.repeat(Schedule.spaced(7))),
  "fromIterableEffectRepeat": (feed) =>
    Stream.fromIterableEffectRepeat(Effect.map(Effect.uninterruptible(feed.fetch), (n) => [n])),
  "unfold": (feed) => Stream.unfold(0, (s) => Effect.map(Effect.uninterruptible(feed.fetch), (n) => [n, s] as const)),
  "mapEffect": (feed) =>
    Stream.forever(Stream.make(1, 2, 3)).pipe(Stream.mapEffect(() => Effect.uninterruptible(feed.fetch))),
  "a fetch in several steps": (feed) =>
    Stream.fromEffectRepeat(Effect.uninterruptible(
      Effect.flatMap(feed.fetch, (n) => Effect.as(Effect.andThen(Effect.yieldNow, Effect.sleep(3)), n))
    )),
  "a fetch that is looked at after it": (feed) =>
    Stream.fromEffectRepeat(Effect.uninterruptible(feed.fetch)).pipe(
      Stream.mapEffect((n) => Effect.as(Effect.yieldNow, n))
    )
}

/** The pull under way is awaited: what can be interrupted, such as a promise, is not. */
const awaited: Readonly<Record<string, Open>> = {
  "fromEffectRepeat of a promise": (feed) =>
    Stream.unwrap(Effect.map(
      Effect.context<never>(),
      (context) => Stream.fromEffectRepeat(Effect.promise(() => Effect.runPromiseWith(context)(feed.fetch)))
    )),
  "paginate": (feed) =>
    Stream.paginate(0, (page) => Effect.map(feed.fetch, (n) => [[n], { _tag: "Some", value: page + 1 } as never])),
  "mapEffect": (feed) => Stream.forever(Stream.make(1, 2, 3)).pipe(Stream.mapEffect(() => feed.fetch)),
  "fromAsyncIterable": (feed) =>
    Stream.unwrap(Effect.map(Effect.context<never>(), (context) => {
      async function* pages() {
        while (true) yield await Effect.runPromiseWith(context)(feed.fetch)
      }
      return Stream.orDie(Stream.fromAsyncIterable(pages(), String))
    })),
  "polling": (feed) => Stream.fromEffectSchedule(feed.fetch, Schedule.spaced(7))
}

const delivers = (name: string, open: Open) =>
  it.effect.prop(
    name,
    { pause: between(1, 12), work: between(0, 12), stopAt: between(0, 150) },
    ({ pause, stopAt, work }) =>
      Effect.gen(function*() {
        const feed = new Feed(pause)
        const delivered: Array<number> = []
        const { exit, report } = yield* inJob(
          () =>
            open(feed).pipe(
              Pipeline.mapParallel((n) => Effect.as(Effect.sleep(work), n), { concurrency: 5 }),
              Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
            ),
          after(stopAt),
          { stopPolicy: { strategy: "patient" } }
        )
        assert.deepStrictEqual(ascending(delivered), feed.handed)
        if (stopAt > 30) assert.isAbove(delivered.length, 0)
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [["drain", false]])
        const source = report.stages.find(({ kind }) => kind === "source")
        assert.deepInclude(source, { name: "in", count: feed.handed.length })
        assert.isUndefined(source?.dropped)
      }),
    { arbitrary: { runs: 15 } }
  )

describe("a drain delivers all that was handed over to a source", () => {
  describe("that it tells to end", () => {
    for (const [name, open] of Object.entries(told)) delivers(name, open)
  })
  describe("whose fetch cannot be interrupted", () => {
    for (const [name, open] of Object.entries(uninterruptible)) {
      delivers(name, (feed) => Pipeline.source(open(feed), "in"))
    }
  })
  describe("whose pull is awaited", () => {
    for (const [name, open] of Object.entries(awaited)) {
      delivers(name, (feed) => Pipeline.source(open(feed), "in", { onDrain: "await" }))
    }
  })
})
