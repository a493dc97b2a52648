import * as Cause from "effect/Cause"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Clock, Context, Effect, Exit, Fiber, Layer, Queue, Schema, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import {
  Environment,
  Job,
  type JobRun,
  LocalEnvironment,
  Pipeline,
  type StopReport,
  type SubmitOptions
} from "../src/index.ts"
import { assertClean, Journal, probe } from "../src/testing.ts"

/** Lets everything that needs no time happen before the clock moves on. */
const settle = Effect.andThen(
  // a clock that was never moved does not let the finalizers of an interrupted fiber sleep
  TestClock.adjust(0),
  Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })
)

/** Runs an effect to its end while the clock moves on; what needs more than two days hangs. */
const complete = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let hour = 0; hour < 50; hour++) {
      yield* settle
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      yield* TestClock.adjust("1 hour")
    }
    return assert.fail("it hangs")
  })

const toEnd = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => Effect.flatten(complete(effect))

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) => toEnd(Stream.runCollect(stream))

const reasons = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> =>
  exit._tag === "Success" ? [] : exit.cause.reasons.map((reason) => {
    if (reason._tag === "Interrupt") return "Interrupt"
    const what = reason._tag === "Fail" ? reason.error : reason.defect
    return `${reason._tag} ${what instanceof Error ? what.message : String(what)}`
  })

const ascending = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

/** The elements of a stream in chunks of one size, with a pause before each chunk. */
const inChunks = <A>(elements: ReadonlyArray<A>, size: number, pause: number): Stream.Stream<A> => {
  const chunks = Stream.fromIterable(Arr.chunksOf(elements, size)).pipe(Stream.rechunk(1))
  return Stream.flattenIterable(
    pause === 0 ? chunks : Stream.mapEffect(chunks, (chunk) => Effect.as(Effect.sleep(pause), chunk))
  )
}

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Step = Schema.Struct({ how: Schema.Literals(["at once", "after a yield", "after a sleep"]), ms: between(1, 20) })

const perform = ({ how, ms }: typeof Step.Type): Effect.Effect<void> =>
  how === "at once" ? Effect.void : how === "after a yield" ? Effect.yieldNow : Effect.sleep(ms)

const Shape = { size: between(1, 9), pause: Schema.Literals([0, 0, 1, 5]), concurrency: between(1, 12) }

/** How many run at the same time, and how many did at most. */
class Gauge {
  begun = 0
  running = 0
  most = 0

  readonly around = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      this.begun++
      this.most = Math.max(this.most, ++this.running)
      return Effect.ensuring(effect, Effect.sync(() => this.running--))
    })
}

type Operator = <E, R>(
  f: (n: number) => Effect.Effect<number, E, R>,
  concurrency: number
) => <E2, R2>(self: Stream.Stream<number, E2, R2>) => Stream.Stream<number, E | E2, R | R2>

/** Whatever is true of each way to work in parallel, where no two elements are equal. */
const operators: ReadonlyArray<readonly [string, Operator]> = [
  ["mapParallel", (f, concurrency) => Pipeline.mapParallel(f, { concurrency })],
  ["mapParallel, unordered", (f, concurrency) => Pipeline.mapParallel(f, { concurrency, unordered: true })],
  ["keyed", (f, concurrency) => Pipeline.keyed((n: number) => n, f, { concurrency })],
  [
    "feedback",
    (f, concurrency) => Pipeline.feedback((n: number) => Effect.map(f(n), (m) => ({ emit: [m] })), { concurrency })
  ]
]

const failures: ReadonlyArray<readonly [string, () => Effect.Effect<never, string>, string]> = [
  ["a typed error", () => Effect.fail("broken"), "Fail broken"],
  ["a defect", () => Effect.die(new Error("broken")), "Die broken"],
  ["an interrupt", () => Effect.interrupt, "Interrupt"],
  [
    "an exception thrown before there is an effect",
    () => {
      throw new Error("broken")
    },
    "Die broken"
  ]
]

setFlagsFromString("--expose-gc")
const collectGarbage: unknown = runInNewContext("gc")

/** The bytes that are in use, without garbage. */
const heap = (): number => {
  if (typeof collectGarbage === "function") collectGarbage()
  return process.memoryUsage().heapUsed
}

/** The element itself is its key, but one has none. */
const keyBut = (broken: number) => (n: number): number => {
  if (n === broken) throw new Error("no key")
  return n
}

for (const [name, operator] of operators) {
  describe(`${name}, as every parallel operator`, () => {
    it.effect.prop(
      "gives each result once, whatever ends at once, yields or sleeps, and however the chunks fall",
      { steps: Schema.Array(Step).check(Schema.isMaxLength(60)), ...Shape },
      ({ concurrency, pause, size, steps }) =>
        Effect.gen(function*() {
          const gauge = new Gauge()
          const results = yield* inChunks(upTo(steps.length), size, pause).pipe(
            operator((n) => gauge.around(Effect.as(perform(steps[n] ?? assert.fail()), n * 2)), concurrency),
            collect
          )
          assert.deepStrictEqual(ascending(results), upTo(steps.length).map((n) => n * 2))
          assert.isAtMost(gauge.most, concurrency)
          assert.strictEqual(gauge.running, 0)
        })
    )

    it.effect.prop(
      "works on as many elements at once as it may, and never on more",
      { count: between(1, 60), ...Shape, pause: Schema.Literal(0) },
      ({ concurrency, count, pause, size }) =>
        Effect.gen(function*() {
          const gauge = new Gauge()
          const since = yield* Clock.currentTimeMillis
          const ended = yield* inChunks(upTo(count), size, pause).pipe(
            operator((n) => gauge.around(Effect.as(Effect.sleep(10), n)), concurrency),
            Stream.runDrain,
            Effect.andThen(Clock.currentTimeMillis),
            toEnd
          )
          assert.strictEqual(gauge.most, Math.min(concurrency, count))
          assert.strictEqual(ended - since, 10 * Math.ceil(count / concurrency))
        })
    )

    it.effect("is empty where its input is empty", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Stream.empty.pipe(operator(Effect.succeed, 3), collect), [])
        const late = Stream.fromEffect(Effect.sleep(10)).pipe(Stream.flatMap(() => Stream.empty))
        assert.deepStrictEqual(yield* late.pipe(operator(Effect.succeed, 3), collect), [])
      }))

    it.effect("fails where its input fails at once", () =>
      Effect.gen(function*() {
        const exit = yield* Stream.fail("broken").pipe(operator(Effect.succeed, 3), Stream.runCollect, complete)
        assert.deepStrictEqual(reasons(exit), ["Fail broken"])
      }))

    it.effect("fails where its input fails or dies later, after the finalizers of what was under way", () =>
      Effect.gen(function*() {
        for (const [, failure, reason] of failures) {
          const gauge = new Gauge()
          const exit = yield* inChunks(upTo(5), 2, 1).pipe(
            Stream.concat(Stream.fromEffect(Effect.suspend(failure))),
            operator((n) => gauge.around(Effect.as(Effect.sleep(100), n)), 3),
            Stream.runCollect,
            Effect.exit,
            Effect.map((exit) => ({ exit, running: gauge.running })),
            toEnd
          )
          assert.deepStrictEqual(reasons(exit.exit), [reason])
          assert.strictEqual(exit.running, 0)
        }
      }))

    for (const [what, failure, reason] of failures) {
      it.effect(`${what} fails the stream, and interrupts the rest, whose finalizers run before it ends`, () =>
        Effect.gen(function*() {
          let begun = 0
          let interrupted = 0
          const exit = yield* inChunks(upTo(100), 10, 0).pipe(
            operator((n) => {
              begun++
              if (n === 5) return Effect.flatMap(Effect.sleep(10), failure)
              return Effect.onInterrupt(
                Effect.never,
                () => Effect.andThen(Effect.sleep(50), Effect.sync(() => interrupted++))
              )
            }, 8),
            Stream.runCollect,
            Effect.exit,
            Effect.map((exit) => ({ exit, interrupted })),
            toEnd
          )
          assert.deepStrictEqual(reasons(exit.exit), [reason])
          assert.deepStrictEqual([begun, exit.interrupted], [8, 7])
        }))

      it.effect(`${what} of the first element fails the stream, where nothing needs any time`, () =>
        Effect.gen(function*() {
          let begun = 0
          const exit = yield* inChunks(upTo(100), 10, 0).pipe(
            operator(() => {
              begun++
              return failure()
            }, 8),
            Stream.runCollect,
            complete
          )
          assert.deepStrictEqual(reasons(exit), [reason])
          assert.strictEqual(begun, 1)
        }))
    }

    it.effect("fails with the failure that comes first", () =>
      Effect.gen(function*() {
        const exit = yield* inChunks(upTo(10), 10, 0).pipe(
          operator((n) => Effect.flatMap(Effect.sleep(100 - n), () => Effect.fail(`${n} is broken`)), 10),
          Stream.runCollect,
          complete
        )
        assert.deepStrictEqual(reasons(exit), ["Fail 9 is broken"])
      }))

    it.effect("a failure can be caught, once what was under way has ended", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const results = yield* inChunks(upTo(10), 10, 0).pipe(
          operator((n) => n === 3 ? Effect.fail("broken") : gauge.around(Effect.as(Effect.sleep(10), n)), 4),
          Stream.catch(() => Stream.sync(() => gauge.running)),
          collect
        )
        assert.strictEqual(results.at(-1), 0)
      }))

    it.effect("an interrupt interrupts all that is under way and waits for it", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const fiber = yield* inChunks(upTo(100), 10, 0).pipe(
          operator(
            (): Effect.Effect<number> => gauge.around(Effect.onInterrupt(Effect.never, () => Effect.sleep(50))),
            6
          ),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settle
        const { running } = gauge
        yield* toEnd(Fiber.interrupt(fiber))
        assert.deepStrictEqual([running, gauge.running, gauge.begun], [6, 0, 6])
      }))

    it.effect("an early end downstream interrupts what is under way, and ends the input, before the stream ends", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const trace: Array<string> = []
        const note = (what: string) => Effect.sync(() => trace.push(what))
        yield* inChunks(upTo(100), 10, 0).pipe(
          Stream.ensuring(note("input")),
          operator((n) =>
            n === 0
              ? Effect.as(Effect.sleep(10), n)
              : gauge.around(Effect.onInterrupt(Effect.never, () => Effect.andThen(Effect.sleep(5), note("work")))), 4),
          Stream.take(1),
          Stream.runDrain,
          Effect.andThen(note("end")),
          toEnd
        )
        assert.isAtLeast(gauge.begun, 3)
        assert.strictEqual(gauge.running, 0)
        assert.deepStrictEqual(trace.toSorted(), ["end", "input", ...upTo(gauge.begun).map(() => "work")])
        assert.strictEqual(trace.at(-1), "end")
      }))

    // once the stream is being closed no element begins, however long the others take to end
    it.effect("begins nothing once downstream has ended early", () =>
      Effect.gen(function*() {
        let begun = 0
        let atEnd = -1
        yield* inChunks(upTo(100), 100, 0).pipe(
          operator((n) => {
            begun++
            return Effect.onInterrupt(Effect.as(Effect.sleep(n === 0 ? 10 : 20 + n), n), () => Effect.sleep(100))
          }, 8),
          Stream.map(() => atEnd = begun),
          Stream.take(1),
          Stream.runDrain,
          toEnd
        )
        assert.strictEqual(begun, atEnd)
      }))

    // as above
    it.effect("begins nothing once it is interrupted", () =>
      Effect.gen(function*() {
        let begun = 0
        const fiber = yield* inChunks(upTo(100), 100, 0).pipe(
          operator((n) => {
            begun++
            return Effect.onInterrupt(Effect.as(Effect.sleep(20 + n), n), () => Effect.sleep(100))
          }, 8),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settle
        const before = begun
        yield* toEnd(Fiber.interrupt(fiber))
        assert.deepStrictEqual([before, begun], [8, 8])
      }))

    // what is under way is interrupted at the same time, so that a cancel needs as long as the slowest of it
    it.effect("the finalizers of what is under way run side by side", () =>
      Effect.gen(function*() {
        const fiber = yield* inChunks(upTo(100), 100, 0).pipe(
          operator((): Effect.Effect<number> => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 second")), 16),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settle
        const since = yield* Clock.currentTimeMillis
        const ended = yield* toEnd(Effect.andThen(Fiber.interrupt(fiber), Clock.currentTimeMillis))
        assert.strictEqual(ended - since, 1_000)
      }))

    it.effect("what may not be interrupted is waited for", () =>
      Effect.gen(function*() {
        let ended = 0
        const fiber = yield* inChunks(upTo(4), 1, 0).pipe(
          operator(() => Effect.uninterruptible(Effect.map(Effect.sleep(50), () => ended++)), 4),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settle
        yield* toEnd(Fiber.interrupt(fiber))
        assert.strictEqual(ended, 4)
      }))

    it.effect("a slow consumer holds back the work, and the work its input", () =>
      Effect.gen(function*() {
        for (const [concurrency, size] of [[1, 1], [8, 1], [8, 100], [300, 7]] as const) {
          let pulled = 0
          let begun = 0
          const fiber = yield* Stream.fromIterable(upTo(20_000)).pipe(
            Stream.rechunk(size),
            Stream.mapArray((chunk) => {
              pulled += chunk.length
              return chunk
            }),
            operator((n) =>
              Effect.sync(() => {
                begun++
                return n
              }), concurrency),
            Stream.runForEach(() => Effect.never),
            Effect.forkChild({ startImmediately: true })
          )
          yield* settle
          // one chunk of results is with the consumer, one waits
          const most = 2 * (256 + concurrency)
          assert.isAtMost(begun, most, `begun at a concurrency of ${concurrency}`)
          assert.isAtMost(pulled, begun + size, `pulled at a concurrency of ${concurrency}`)
          yield* Fiber.interrupt(fiber)
        }
      }))

    it.effect("a consumer that takes its time gets everything", () =>
      Effect.gen(function*() {
        const results: Array<number> = []
        yield* inChunks(upTo(2_000), 10, 0).pipe(
          operator((n) => n % 3 === 0 ? Effect.as(Effect.sleep(n % 7), n) : Effect.succeed(n), 5),
          Stream.runForEach((n) => Effect.map(n % 100 === 0 ? Effect.sleep(50) : Effect.void, () => results.push(n))),
          toEnd
        )
        assert.deepStrictEqual(ascending(results), upTo(2_000))
      }))

    it.effect("takes any whole number from 1 as its bound, and no bound at all", () =>
      Effect.gen(function*() {
        // also where it is ordered
        for (const concurrency of [1, 2, 255, 256, 257, 100_000, 2 ** 31, Number.MAX_SAFE_INTEGER, Infinity]) {
          const gauge = new Gauge()
          const results = yield* inChunks(upTo(600), 100, 0).pipe(
            operator((n) => gauge.around(Effect.as(Effect.sleep(1), n)), concurrency),
            collect
          )
          assert.deepStrictEqual(ascending(results), upTo(600), `concurrency ${concurrency}`)
          assert.strictEqual(gauge.most, Math.min(600, concurrency))
        }
      }))

    // `feedback` too refuses where it is written, not when the stream is run
    it("refuses any other bound by name, where it is written", () => {
      for (const concurrency of [0, -1, 1.5, Number.NaN, -Infinity, 2 ** 53]) {
        try {
          operator(Effect.succeed, concurrency)
        } catch (error) {
          if (!Cause.isIllegalArgumentError(error)) throw error
          assert.strictEqual(
            error.message,
            `concurrency is ${concurrency}; expected a whole number of at least 1, or "unbounded"`
          )
          continue
        }
        assert.fail(`${concurrency} was accepted`)
      }
    })

    it.effect("the effect may need services, of the stream as of the fiber that runs it", () =>
      Effect.gen(function*() {
        class Factor extends Context.Service<Factor, { readonly by: number }>()("test/Factor") {}
        const Plus = Context.Reference("test/Plus", { defaultValue: () => 0 })
        const scaled = inChunks(upTo(4), 2, 1).pipe(
          operator((n) =>
            Effect.gen(function*() {
              yield* Effect.sleep(1)
              return n * (yield* Factor).by + (yield* Plus)
            }), 2)
        )
        const inStream = yield* scaled.pipe(Stream.provideService(Factor, { by: 10 }), collect)
        assert.deepStrictEqual(ascending(inStream), [0, 10, 20, 30])
        const inFiber = yield* collect(scaled).pipe(
          Effect.provideService(Factor, { by: 2 }),
          Effect.provideService(Plus, 1)
        )
        assert.deepStrictEqual(ascending(inFiber), [1, 3, 5, 7])
      }))

    it.effect("one stream can run many times, also at the same time", () =>
      Effect.gen(function*() {
        const stream = inChunks(upTo(50), 7, 1).pipe(operator((n) => Effect.as(Effect.sleep(n % 5), n), 3))
        const runs = yield* toEnd(
          Effect.all([Stream.runCollect(stream), Stream.runCollect(stream), Stream.runCollect(stream)], {
            concurrency: "unbounded"
          })
        )
        const again = yield* collect(stream)
        for (const run of [...runs, again]) assert.deepStrictEqual(ascending(run), upTo(50))
      }))

    it.effect("works within itself, within flatMap and within merge", () =>
      Effect.gen(function*() {
        const double = operator((n) => Effect.as(Effect.sleep(n % 4), n * 2), 3)
        const nested = yield* inChunks(upTo(20), 3, 1).pipe(
          operator((n) =>
            Effect.map(Stream.runCollect(double(Stream.make(n * 2, n * 2 + 1))), (both) =>
              both.reduce((a, b) =>
                a + b, 0)), 4),
          collect
        )
        assert.deepStrictEqual(
          ascending(nested),
          upTo(20).map((n) =>
            (4 * n + 1) * 2
          )
        )
        const flat = yield* inChunks(upTo(20), 3, 1).pipe(
          Stream.flatMap((n) => double(Stream.make(n * 2, n * 2 + 1)), { concurrency: 3 }),
          double,
          collect
        )
        assert.deepStrictEqual(ascending(flat), upTo(40).map((n) => n * 4))
        const merged = yield* Stream.merge(double(inChunks([0, 1, 2, 3], 2, 1)), double(inChunks([4, 5, 6, 7], 1, 2)))
          .pipe(double, collect)
        assert.deepStrictEqual(ascending(merged), upTo(8).map((n) => n * 4))
      }))

    it.effect("a failure deep inside comes out, and nothing of it goes on", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const inner = (n: number) =>
          inChunks([10 * n, 10 * n + 1, 10 * n + 2], 1, 1).pipe(
            operator((m) => m === 31 ? Effect.fail("broken") : gauge.around(Effect.as(Effect.sleep(5), m)), 2),
            Stream.runDrain
          )
        const exit = yield* inChunks(upTo(9), 4, 0).pipe(
          operator((n) => Effect.as(inner(n), n), 3),
          Stream.runDrain,
          complete
        )
        assert.deepStrictEqual(reasons(exit), ["Fail broken"])
        const { begun, running } = gauge
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual([running, gauge.begun], [0, begun])
      }))

    // what bounds the work at all is the number of its elements
    it.effect("many without a bound cost no more than they have elements", () =>
      Effect.gen(function*() {
        const before = heap()
        let most = 0
        const work = (n: number) =>
          Effect.suspend(() => {
            if (n === 299) most = heap() - before
            return Effect.as(Effect.sleep(1), n)
          })
        const count = yield* Stream.fromIterable(upTo(300)).pipe(
          Stream.flatMap((n) => Stream.make(n, n + 1).pipe(operator(work, Infinity)), { concurrency: 300 }),
          Stream.runCount,
          toEnd
        )
        assert.strictEqual(count, 600)
        assert.isBelow(most, 50_000_000)
      }), 60_000)

    it.effect("1,000,000 elements overflow no stack, in one chunk as in chunks of 1", () =>
      Effect.gen(function*() {
        const count = 1_000_000
        for (const stream of [Stream.fromArray(upTo(count)), Stream.range(0, count - 1).pipe(Stream.rechunk(1))]) {
          const sum = yield* stream.pipe(operator(Effect.succeed, 16), Stream.runFold(() => 0, (sum, n) => sum + n))
          assert.strictEqual(sum, count * (count - 1) / 2)
        }
      }), 60_000)

    it.effect("1,000,000 elements need no more memory than 100,000", () =>
      Effect.gen(function*() {
        let early = 0
        let late = 0
        yield* Stream.range(1, 1_000_000, 1_000).pipe(
          operator((n) => n % 10 === 0 ? Effect.as(Effect.yieldNow, n) : Effect.succeed(n), 16),
          Stream.map(() => upTo(10)),
          Stream.zipWithIndex,
          Stream.runForEach(([, n]) =>
            Effect.sync(() => {
              if (n === 100_000) early = heap()
              if (n === 999_000) late = heap()
            })
          )
        )
        assert.isAbove(early, 0)
        assert.isBelow(late - early, 8_000_000)
      }), 60_000)
  })
}

describe("mapParallel", () => {
  it.effect.prop(
    "results leave in the order of their elements, whatever each of them takes",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(60)), ...Shape },
    ({ concurrency, pause, size, steps }) =>
      Effect.gen(function*() {
        const results = yield* inChunks(upTo(steps.length), size, pause).pipe(
          Pipeline.mapParallel((n) => Effect.as(perform(steps[n] ?? assert.fail()), n), { concurrency }),
          collect
        )
        assert.deepStrictEqual(results, upTo(steps.length))
      })
  )

  it.effect("keeps the order over many times its own memory, behind one slow element after the other", () =>
    Effect.gen(function*() {
      const results = yield* inChunks(upTo(5_000), 50, 0).pipe(
        Pipeline.mapParallel((n) => n % 700 === 0 ? Effect.as(Effect.sleep(1_000), n) : Effect.succeed(n), {
          concurrency: 3
        }),
        collect
      )
      assert.deepStrictEqual(results, upTo(5_000))
    }))

  it.effect("results leave as they come where they need not be ordered", () =>
    Effect.gen(function*() {
      for (const [unordered, expected] of [[undefined, [1, 2, 3]], [false, [1, 2, 3]], [true, [3, 2, 1]]] as const) {
        const results = yield* Stream.make(1, 2, 3).pipe(
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(10 - n), n), { concurrency: 3, unordered }),
          collect
        )
        assert.deepStrictEqual(results, [...expected])
      }
    }))

  it.effect("a result leaves as soon as it may, not when its chunk is done", () =>
    Effect.gen(function*() {
      const at: Array<number> = []
      yield* Stream.make(1, 2, 3).pipe(
        Pipeline.mapParallel((n) => Effect.sleep(n * 10), { concurrency: 3 }),
        Stream.runForEach(() => Effect.map(Clock.currentTimeMillis, (now) => at.push(now))),
        toEnd
      )
      assert.deepStrictEqual(at, [10, 20, 30])
    }))

  it.effect("at a concurrency of 1 nothing overlaps", () =>
    Effect.gen(function*() {
      const trace: Array<string> = []
      yield* Stream.make(1, 2, 3).pipe(
        Pipeline.mapParallel((n) =>
          Effect.gen(function*() {
            trace.push(`begin ${n}`)
            yield* Effect.sleep(5)
            trace.push(`end ${n}`)
          }), { concurrency: 1 }),
        Stream.runDrain,
        toEnd
      )
      assert.deepStrictEqual(trace, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"])
    }))

  it.effect("a parallel stage with uneven delays before a sequential one loses nothing", () =>
    Effect.gen(function*() {
      const results = yield* inChunks(upTo(200), 7, 1).pipe(
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep(n % 3 === 0 ? 100 : 1), n), { concurrency: 3 }),
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep(2), n), { concurrency: 1 }),
        collect
      )
      assert.deepStrictEqual(results, upTo(200))
    }))

  it.effect("no quiet period ends a stage: it ends when its input has ended", () =>
    Effect.gen(function*() {
      const results = yield* inChunks(upTo(10), 1, 3_600_000).pipe(
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep("1 hour"), n), { concurrency: 3 }),
        Pipeline.keyed((n) => n % 2, (n) => Effect.as(Effect.sleep("1 hour"), n), { concurrency: 2 }),
        collect
      )
      assert.deepStrictEqual(ascending(results), upTo(10))
    }))
})

describe("keyed", () => {
  it.effect.prop(
    "keeps the order within each key, and works on one element of a key at a time",
    {
      steps: Schema.Array(Schema.Struct({ key: between(0, 5), step: Step })).check(Schema.isMaxLength(80)),
      ...Shape
    },
    ({ concurrency, pause, size, steps }) =>
      Effect.gen(function*() {
        const busy = new Set<number>()
        const gauge = new Gauge()
        const elements = steps.map(({ key, step }, place) => ({ key, place, step }))
        const results = yield* inChunks(elements, size, pause).pipe(
          Pipeline.keyed(({ key }) => key, (element) =>
            gauge.around(Effect.gen(function*() {
              assert.isFalse(busy.has(element.key), "two of one key at once")
              busy.add(element.key)
              yield* perform(element.step)
              busy.delete(element.key)
              return element
            })), { concurrency: concurrency }),
          collect
        )
        assert.isAtMost(gauge.most, concurrency)
        assert.strictEqual(results.length, elements.length)
        for (const key of upTo(6)) {
          const of = (list: typeof elements) => list.filter((element) => element.key === key).map(({ place }) => place)
          assert.deepStrictEqual(of(results), of(elements))
        }
      })
  )

  it.effect("different keys are worked on at once, up to the concurrency", () =>
    Effect.gen(function*() {
      for (const [keys, concurrency] of [[1, 8], [3, 8], [8, 3], [20, 20]] as const) {
        const gauge = new Gauge()
        yield* Stream.fromIterable(upTo(100)).pipe(
          Pipeline.keyed((n) => n % keys, () => gauge.around(Effect.sleep(10)), { concurrency }),
          collect
        )
        assert.strictEqual(gauge.most, Math.min(keys, concurrency))
      }
    }))

  it.effect("a hot key loses nothing and keeps its order, while the others get through", () =>
    Effect.gen(function*() {
      const count = 20_000
      const results = yield* Stream.fromIterable(upTo(count)).pipe(
        Pipeline.keyed((n) => n % 100 === 7 ? n : "hot", (n) =>
          n % 5_000 === 0 ? Effect.as(Effect.sleep(1), n) : Effect.succeed(n), {
          concurrency: 4
        }),
        collect
      )
      const hot = results.filter((n) =>
        n % 100 !== 7
      )
      assert.deepStrictEqual(hot, ascending(hot))
      assert.deepStrictEqual(ascending(results), upTo(count))
    }))

  it.effect("an element that never ends holds up its own key alone", () =>
    Effect.gen(function*() {
      const results: Array<number> = []
      const fiber = yield* inChunks(upTo(100), 10, 1).pipe(
        Pipeline.keyed((n) => n % 10, (n) => n === 3 ? Effect.never : Effect.succeed(n), { concurrency: 2 }),
        Stream.runForEach((n) => Effect.sync(() => results.push(n))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ascending(results), upTo(100).filter((n) => n % 10 !== 3))
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a key that is held up does not let its input run ahead without bound", () =>
    Effect.gen(function*() {
      let pulled = 0
      const fiber = yield* Stream.range(1, 100_000).pipe(
        Stream.rechunk(1),
        Stream.map((n) => pulled = n),
        Pipeline.keyed(() => "hot", () => Effect.never, { concurrency: 4 }),
        Stream.runDrain,
        Effect.forkChild({ startImmediately: true })
      )
      yield* settle
      assert.isAtMost(pulled, 5_000)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("keys are compared as in a Map: NaN is one key, equal objects are two", () =>
    Effect.gen(function*() {
      for (const [key, most] of [[() => Number.NaN, 1], [() => undefined, 1], [() => ({}), 3]] as const) {
        const gauge = new Gauge()
        yield* Stream.make(1, 2, 3).pipe(
          Pipeline.keyed(key, () => gauge.around(Effect.sleep(1)), { concurrency: 3 }),
          collect
        )
        assert.strictEqual(gauge.most, most)
      }
    }))

  it.effect("a million keys leave nothing behind", () =>
    Effect.gen(function*() {
      const count = yield* Stream.range(1, 1_000_000).pipe(
        Pipeline.keyed((n) => n, Effect.succeed, { concurrency: 4 }),
        Stream.runCount
      )
      assert.strictEqual(count, 1_000_000)
    }), 60_000)

  // an exception in `key` fails the stream, wherever the element comes from; with an input that needs time it
  // is thrown into the scheduler, and the stream hangs
  for (const pause of [0, 1]) {
    it.effect(`an exception in the key fails the stream, where its input needs ${pause} ms`, () =>
      Effect.gen(function*() {
        const exit = yield* inChunks(upTo(10), 2, pause).pipe(
          Pipeline.keyed(keyBut(5), (n) => Effect.as(Effect.sleep(3), n), { concurrency: 2 }),
          Stream.runCollect,
          complete
        )
        assert.deepStrictEqual(reasons(exit), ["Die no key"])
      }))
  }
})

describe("feedback", () => {
  it.effect.prop(
    "ends when its input has ended and nothing goes round any longer",
    {
      seeds: Schema.Array(between(0, 12)).check(Schema.isMaxLength(12)),
      step: Step,
      ...Shape
    },
    ({ concurrency, pause, seeds, size, step }) =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const results = yield* inChunks(seeds, size, pause).pipe(
          Pipeline.feedback(
            (n: number) => Effect.as(gauge.around(perform(step)), { emit: [n], again: n > 0 ? [n - 1] : [] }),
            { concurrency }
          ),
          collect
        )
        assert.deepStrictEqual(ascending(results), ascending(seeds.flatMap((seed) => upTo(seed + 1))))
        assert.isAtMost(gauge.most, concurrency)
      })
  )

  it.effect("a turn may give nothing, several results, and several elements that go round", () =>
    Effect.gen(function*() {
      const results = yield* Stream.make(6).pipe(
        Pipeline.feedback((n: number) =>
          Effect.succeed(n <= 1 ? { emit: [n, n] } : n === 4 ? {} : { again: [n - 1, n - 2] })
        ),
        collect
      )
      // 6 → 5, 4; 5 → 4, 3; 3 → 2, 1; 2 → 1, 0; each 4 ends without a result
      assert.deepStrictEqual(ascending(results), [0, 0, 1, 1, 1, 1])
    }))

  it.effect("what goes round is worked on by as many as may", () =>
    Effect.gen(function*() {
      const gauge = new Gauge()
      const since = yield* Clock.currentTimeMillis
      const ended = yield* Stream.make(5).pipe(
        Pipeline.feedback(
          (n: number) => gauge.around(Effect.as(Effect.sleep(10), n === 0 ? { emit: [n] } : { again: [n - 1, n - 1] })),
          { concurrency: 8 }
        ),
        Stream.runCount,
        Effect.flatMap((count) => Effect.map(Clock.currentTimeMillis, (at) => ({ at, count }))),
        toEnd
      )
      // 1, 2, 4, 8, 16 and 32 elements
      assert.deepStrictEqual(ended, { at: since + 10 * (1 + 1 + 1 + 1 + 2 + 4), count: 32 })
      assert.strictEqual(gauge.most, 8)
    }))

  it.effect("what goes round is worked on while the input waits", () =>
    Effect.gen(function*() {
      const results: Array<number> = []
      const fiber = yield* Stream.concat(Stream.make(3), Stream.never).pipe(
        Pipeline.feedback((n: number) => Effect.as(Effect.sleep(1), { emit: [n], again: n > 0 ? [n - 1] : [] })),
        Stream.runForEach((n) => Effect.sync(() => results.push(n))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(results, [3, 2, 1, 0])
      assert.isUndefined(fiber.pollUnsafe(), "it ended before its input")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("one element may go round a million times", () =>
    Effect.gen(function*() {
      const results = yield* Stream.make(1_000_000).pipe(
        Pipeline.feedback((n: number) => Effect.succeed(n === 0 ? { emit: ["out"] } : { again: [n - 1] })),
        Stream.runCollect
      )
      assert.deepStrictEqual(results, ["out"])
    }), 60_000)

  it.effect("runs of one stream at the same time have loops of their own", () =>
    Effect.gen(function*() {
      const stream = Stream.make(3).pipe(
        Pipeline.feedback((n: number) => Effect.as(Effect.sleep(1), { emit: [n], again: n > 0 ? [n - 1] : [] }))
      )
      const runs = yield* toEnd(
        Effect.all([Stream.runCollect(stream), Stream.runCollect(stream)], { concurrency: 2 })
      )
      assert.deepStrictEqual(runs, [[3, 2, 1, 0], [3, 2, 1, 0]])
    }))

  // other fibers get their turn, as with Stream.filter: it is one turn, which no signal can interrupt
  it.effect("lets others run where nothing comes out of it and nothing needs time", () =>
    Effect.gen(function*() {
      let turns = 0
      const fiber = yield* Stream.range(1, 200_000).pipe(
        Stream.rechunk(1),
        Pipeline.feedback(() =>
          Effect.sync(() => {
            turns++
            return {}
          })
        ),
        Stream.runDrain,
        Effect.forkChild({ startImmediately: true })
      )
      assert.isBelow(turns, 200_000)
      yield* Fiber.join(fiber)
      assert.strictEqual(turns, 200_000)
    }))
})

describe("join", () => {
  interface Row {
    readonly key: number
    readonly place: number
  }
  const Side = Schema.Struct({
    keys: Schema.Array(between(0, 4)).check(Schema.isMaxLength(25)),
    size: between(1, 6),
    pause: Schema.Literals([0, 1, 3, 50]),
    late: Schema.Literals([0, 0, 100])
  })
  const rows = (side: typeof Side.Type): ReadonlyArray<Row> => side.keys.map((key, place) => ({ key, place }))
  const streamOf = (side: typeof Side.Type) =>
    Stream.concat(
      Stream.drain(Stream.fromEffect(Effect.sleep(side.late))),
      inChunks(rows(side), side.size, side.pause)
    )
  const byKey = { left: (row: Row) => row.key, right: (row: Row) => row.key }
  const texts = (pairs: ReadonlyArray<readonly [Row, Row]>) =>
    pairs.map(([left, right]) => `${left.key}: ${left.place}, ${right.place}`).toSorted()

  it.effect.prop(
    "gives every pair exactly once, whichever side is late, ends first, or has duplicates",
    { left: Side, right: Side },
    ({ left, right }) =>
      Effect.gen(function*() {
        const pairs = yield* collect(Pipeline.join(streamOf(left), streamOf(right), { on: byKey }))
        const expected = rows(left).flatMap((l) =>
          rows(right).filter((r) => r.key === l.key).map((r) => [l, r] as const)
        )
        assert.deepStrictEqual(texts(pairs), texts(expected))
      })
  )

  it.effect("ends when both sides have ended, whatever they are called and whichever ends first", () =>
    Effect.gen(function*() {
      for (const [left, right] of [["orders", "users"], ["LeftSource", "RightSource"], ["", "Source"]] as const) {
        for (const [short, long] of [[1, 60_000], [60_000, 1]] as const) {
          const job = Job.make("join", {
            success: Schema.Unknown,
            run: () =>
              Pipeline.join(
                inChunks(upTo(3), 1, short).pipe(Pipeline.source(left)),
                inChunks(upTo(3), 1, long).pipe(Pipeline.source(right)),
                { on: (n) => n }
              ).pipe(Stream.runCollect, Effect.map((pairs) => [pairs.length]))
          })
          assert.deepStrictEqual(yield* complete(Environment.run(job, {})), Exit.succeed([3]))
        }
      }
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it.effect("does not end while one side has not", () =>
    Effect.gen(function*() {
      for (const [left, right] of [[Stream.make(1), Stream.never], [Stream.never, Stream.make(1)]] as const) {
        const fiber = yield* Effect.forkChild(Stream.runDrain(Pipeline.join(left, right, { on: (n) => n })))
        yield* TestClock.adjust("1 day")
        yield* settle
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect("a pair leaves as soon as both are there", () =>
    Effect.gen(function*() {
      const at: Array<readonly [number, number]> = []
      yield* Pipeline.join(inChunks([1, 2, 3], 1, 10), inChunks([3, 2, 1], 1, 10), { on: (n) => n }).pipe(
        Stream.runForEach(([n]) => Effect.map(Clock.currentTimeMillis, (now) => at.push([n, now]))),
        toEnd
      )
      assert.deepStrictEqual(at.toSorted(([a], [b]) => a - b), [[1, 30], [2, 20], [3, 30]])
    }))

  it.effect("is empty where a side is empty, and ends", () =>
    Effect.gen(function*() {
      const some = inChunks(upTo(5), 1, 1)
      for (const [left, right] of [[some, Stream.empty], [Stream.empty, some], [Stream.empty, Stream.empty]] as const) {
        assert.deepStrictEqual(yield* collect(Pipeline.join(left, right, { on: () => 0 })), [])
      }
    }))

  for (const [what, failure, reason] of failures) {
    it.effect(`${what} of a side fails it, and ends the other side first`, () =>
      Effect.gen(function*() {
        const broken = Stream.concat(inChunks(upTo(3), 1, 1), Stream.fromEffect(Effect.suspend(failure)))
        for (const swap of [false, true]) {
          let ended = false
          const endless = Stream.concat(inChunks(upTo(3), 1, 1), Stream.never).pipe(
            Stream.ensuring(Effect.andThen(Effect.sleep(10), Effect.sync(() => ended = true)))
          )
          const joined = swap
            ? Pipeline.join(endless, broken, { on: (n) => n })
            : Pipeline.join(broken, endless, { on: (n) => n })
          const outcome = yield* toEnd(Effect.map(Effect.exit(Stream.runDrain(joined)), (exit) => ({ exit, ended })))
          assert.deepStrictEqual(reasons(outcome.exit), [reason])
          assert.isTrue(outcome.ended)
        }
      }))
  }

  it.effect("an exception in a key fails it", () =>
    Effect.gen(function*() {
      const endless = Stream.concat(inChunks(upTo(3), 1, 1), Stream.never)
      const joined = Pipeline.join(endless, endless, { on: { left: (n) => n, right: keyBut(2) } })
      assert.deepStrictEqual(reasons(yield* complete(Stream.runDrain(joined))), ["Die no key"])
    }))

  it.effect("an early end downstream ends both sides first", () =>
    Effect.gen(function*() {
      let ended = 0
      const endless = Stream.concat(inChunks(upTo(3), 1, 1), Stream.never).pipe(
        Stream.ensuring(Effect.andThen(Effect.sleep(10), Effect.sync(() => ended++)))
      )
      const joined = Pipeline.join(endless, endless, { on: (n) => n })
      const atEnd = yield* toEnd(Effect.map(Stream.runDrain(Stream.take(joined, 2)), () => ended))
      assert.strictEqual(atEnd, 2)
    }))

  it.effect("a slow consumer holds back both sides", () =>
    Effect.gen(function*() {
      let pulled = 0
      const endless = Stream.forever(Stream.make(1)).pipe(Stream.map((n) => pulled += n))
      const fiber = yield* Pipeline.join(endless, endless, { on: () => 0 }).pipe(
        Stream.runForEach(() => Effect.never),
        Effect.forkChild({ startImmediately: true })
      )
      yield* settle
      assert.isBelow(pulled, 1_000)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("one end of a merge of sources does not end the other", () =>
    Effect.gen(function*() {
      const merged = Stream.merge(
        inChunks(upTo(3), 1, 1).pipe(Pipeline.source("short")),
        inChunks(upTo(20), 1, 60_000).pipe(Pipeline.source("long"))
      )
      const job = Job.make("merge", { success: Schema.Int, run: () => Stream.runCount(merged) })
      assert.deepStrictEqual(yield* complete(Environment.run(job, {})), Exit.succeed(23))
    }).pipe(Effect.provide(LocalEnvironment.layer)))
})

interface Ended {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly report: StopReport
  /** Clock milliseconds. */
  readonly at: number
}

type Drive = (run: JobRun<unknown, unknown>) => Effect.Effect<void>

/** Runs a pipeline as a job, does something to it, and waits for its end. */
const inJob = (
  pipeline: () => Effect.Effect<unknown, unknown, Scope.Scope>,
  drive: Drive = () => Effect.void,
  options: SubmitOptions & { readonly services?: Layer.Layer<never> } = {}
): Effect.Effect<Ended> =>
  Effect.gen(function*() {
    const { services = Layer.empty, ...rest } = options
    const job = Job.make("pipeline", { success: Schema.Unknown, error: Schema.Unknown, services, run: pipeline })
    const run = yield* Effect.orDie(Environment.submit(job, {}, rest))
    const ended = Effect.gen(function*() {
      yield* settle
      yield* drive(run)
      const { exit, report } = yield* toEnd(run.result)
      return { exit, report, at: Date.parse(report.stoppedAt) }
    })
    return yield* Effect.onError(ended, () => run.stop({ mode: "kill" }))
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))

const after = (ms: number, options?: Parameters<JobRun<unknown, unknown>["stop"]>[0]): Drive => (run) =>
  Effect.andThen(TestClock.adjust(ms), run.stop(options))

const countsOf = (report: StopReport) =>
  report.stages.map(({ count, dropped, name }) =>
    dropped === undefined ? `${name} ${count}` : `${name} ${count}-${dropped}`
  )

/** Elements that come in bursts and never end; notes each one as it leaves the source. */
class Endless {
  readonly emitted: Array<number> = []
  #next = 0

  open(name: string, burst: number, pause: number): Stream.Stream<number> {
    const read = Effect.map(Effect.sleep(pause), () => Array.from({ length: burst }, () => this.#next++))
    return Stream.fromEffectRepeat(read).pipe(
      Stream.flattenIterable,
      Pipeline.source(name),
      Stream.map((n) => {
        this.emitted.push(n)
        return n
      })
    )
  }
}

type Open = (name: string) => Stream.Stream<number>

const pipelines: Readonly<
  Record<string, (open: Open, work: (n: number) => Effect.Effect<number>) => Stream.Stream<number>>
> = {
  "nothing": (open) => open("one"),
  "a slow map": (open, work) => Stream.mapEffect(open("one"), work),
  "mapParallel": (open, work) => open("one").pipe(Pipeline.mapParallel(work, { concurrency: 4 })),
  "mapParallel, unordered": (open, work) =>
    open("one").pipe(Pipeline.mapParallel(work, { concurrency: 4, unordered: true })),
  "keyed": (open, work) => open("one").pipe(Pipeline.keyed((n) => n % 5, work, { concurrency: 3 })),
  "feedback": (open, work) =>
    open("one").pipe(
      Stream.map((n) => ({ n, turns: n % 3 })),
      Pipeline.feedback(({ n, turns }: { readonly n: number; readonly turns: number }) =>
        Effect.as(work(n), turns === 0 ? { emit: [n] } : { again: [{ n, turns: turns - 1 }] }), { concurrency: 3 })
    ),
  "all of them, one after the other": (open, work) =>
    open("one").pipe(
      Pipeline.mapParallel(work, { concurrency: 4 }),
      Pipeline.keyed((n) => n % 5, work, { concurrency: 3 }),
      Pipeline.stage("between"),
      Pipeline.mapParallel(work, { concurrency: 2, unordered: true }),
      Pipeline.feedback((n: number) => Effect.as(work(n), { emit: [n] }))
    ),
  "Stream.buffer": (open, work) => open("one").pipe(Stream.buffer({ capacity: 16 }), Stream.mapEffect(work)),
  "Stream.mapEffect at a concurrency": (open, work) => Stream.mapEffect(open("one"), work, { concurrency: 4 }),
  "Stream.grouped": (open, work) =>
    open("one").pipe(
      Stream.grouped(7),
      Stream.mapEffect((rows) => Effect.as(work(rows.length), rows)),
      Stream.flattenIterable
    ),
  "Stream.groupedWithin": (open, work) =>
    open("one").pipe(
      Stream.groupedWithin(7, 15),
      Stream.mapEffect((rows) => Effect.as(work(rows.length), rows)),
      Stream.flattenIterable
    ),
  "Stream.merge": (open, work) =>
    Stream.merge(
      open("one").pipe(Pipeline.mapParallel(work, { concurrency: 2 })),
      open("two").pipe(Stream.buffer({ capacity: 4 }))
    ),
  "Stream.flatMap": (open, work) =>
    open("one").pipe(
      Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.mapParallel(work, { concurrency: 2 })), { concurrency: 3 })
    ),
  "three sources": (open, work) =>
    Stream.mergeAll([open("one"), open("two"), open("three")], { concurrency: 3 }).pipe(
      Pipeline.mapParallel(work, { concurrency: 5 })
    )
}

describe("source", () => {
  it.effect("outside of a job passes everything on: elements, chunks, the end and the failure", () =>
    Effect.gen(function*() {
      const chunks = Stream.fromArrays([1, 2], [3], [4, 5, 6])
      const through = chunks.pipe(Pipeline.source("in"), Pipeline.stage("on"), Stream.chunks)
      assert.deepStrictEqual(yield* collect(through), [[1, 2], [3], [4, 5, 6]])
      const exit = yield* complete(Stream.runDrain(Stream.fail("broken").pipe(Pipeline.source("in"))))
      assert.deepStrictEqual(reasons(exit), ["Fail broken"])
    }))

  it.effect("in a job passes everything on too, and counts it", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { exit, report } = yield* inJob(() =>
        Stream.fromArrays([1, 2], [3], [4, 5, 6]).pipe(
          Pipeline.source("in"),
          Stream.filter((n) => n !== 3),
          Pipeline.stage("on"),
          Stream.chunks,
          Stream.runForEach((chunk) => Effect.sync(() => seen.push(chunk)))
        )
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(seen, [[1, 2], [4, 5, 6]])
      assert.deepStrictEqual(report.stages, [
        { name: "in", kind: "source", count: 6 },
        { name: "on", kind: "stage", count: 5 }
      ])
      assert.strictEqual(report.outcome, "succeeded")
      assert.strictEqual(report.trigger, "completed")
    }))

  it.effect.prop(
    "what it has emitted when a drain begins all reaches the sink, through whatever comes after it",
    {
      // safe: the keys of a record that is not empty
      pipeline: Schema.Literals(Object.keys(pipelines) as [string, ...Array<string>]),
      burst: between(1, 30),
      pause: between(1, 10),
      work: between(0, 12),
      stopAt: between(0, 300)
    },
    ({ burst, pause, pipeline, stopAt, work }) =>
      Effect.gen(function*() {
        const endless = new Endless()
        const delivered: Array<number> = []
        const build = pipelines[pipeline] ?? assert.fail()
        const stream = build(
          (name) => endless.open(name, burst, pause),
          (n) => work === 0 ? Effect.succeed(n) : Effect.as(Effect.sleep((n * 7) % work), n)
        )
        const { exit, report } = yield* inJob(
          () => Stream.runForEach(stream, (n) => Effect.sync(() => delivered.push(n))),
          after(stopAt),
          { stopPolicy: { strategy: "patient" } }
        )
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(ascending(delivered), endless.emitted.toSorted((a, b) => a - b))
        assert.strictEqual(report.outcome, "succeeded")
        assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => ({ phase, timedOut })), [
          { phase: "drain", timedOut: false }
        ])
        const sources = report.stages.filter((stage) => stage.kind === "source")
        assert.strictEqual(sources.reduce((sum, { count }) => sum + count, 0), endless.emitted.length)
        assert.isTrue(report.stages.every((stage) => stage.dropped === undefined))
        assert.isTrue(report.clean)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("ends at its own place: each element that was read is delivered, though the sink is slow", () =>
    Effect.gen(function*() {
      let read = 0
      let delivered = 0
      const { report } = yield* inJob(
        () =>
          Stream.fromEffectRepeat(Effect.map(Effect.sleep(10), () => ++read)).pipe(
            Pipeline.source("rows"),
            Stream.buffer({ capacity: 16 }),
            Stream.runForEach(() => Effect.andThen(Effect.sleep(50), Effect.sync(() => delivered++)))
          ),
        after(145)
      )
      assert.strictEqual(read, 14)
      assert.strictEqual(delivered, 14)
      assert.deepStrictEqual(countsOf(report), ["rows 14"])
    }))

  // an element that is read in the turn in which the drain begins is emitted, whether its pull had to wait or not
  for (const pause of [0, 10]) {
    it.effect(`an element whose reading asks for the stop is delivered itself, where a pull needs ${pause} ms`, () =>
      Effect.gen(function*() {
        const delivered: Array<number> = []
        let stop: Effect.Effect<void> = Effect.void
        let read = 0
        const { report } = yield* inJob(
          () =>
            Effect.andThen(
              Effect.sleep(1),
              Stream.fromEffectRepeat(Effect.gen(function*() {
                if (pause > 0) yield* Effect.sleep(pause)
                if (++read === 5) yield* stop
                return read
              })).pipe(
                Pipeline.source("rows"),
                Pipeline.mapParallel((n) => Effect.as(Effect.sleep(3), n), { concurrency: 1 }),
                Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
              )
            ),
          (run) =>
            Effect.sync(() => {
              stop = run.stop()
            })
        )
        assert.deepStrictEqual(delivered, [1, 2, 3, 4, 5])
        assert.deepStrictEqual(countsOf(report), ["rows 5", "mapParallel 1 5"])
        assert.strictEqual(read, 5)
      }))
  }

  it.effect("both sides of a join end, and every pair of what they emitted reaches the sink", () =>
    Effect.gen(function*() {
      const left = new Endless()
      const right = new Endless()
      const delivered: Array<string> = []
      const { report } = yield* inJob(
        () =>
          Pipeline.join(left.open("left", 3, 7), right.open("right", 5, 11), { on: (n) => n % 10 }).pipe(
            Pipeline.mapParallel((pair) => Effect.as(Effect.sleep(1), pair), { concurrency: 2 }),
            Stream.runForEach(([l, r]) => Effect.sync(() => delivered.push(`${l} ${r}`)))
          ),
        after(100),
        { stopPolicy: { strategy: "patient" } }
      )
      const expected = left.emitted.flatMap((l) =>
        right.emitted.filter((r) => r % 10 === l % 10).map((r) => `${l} ${r}`)
      )
      assert.isAbove(expected.length, 100)
      assert.deepStrictEqual(delivered.toSorted(), expected.toSorted())
      assert.strictEqual(report.stages.find(({ kind }) => kind === "join")?.count, expected.length)
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it.effect("a drain ends it at once, even while a pull of it is blocked for ever", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<number>()
      const blocked: ReadonlyArray<Stream.Stream<number>> = [
        Stream.never,
        Stream.fromQueue(queue),
        Stream.fromEffect(Effect.never),
        Stream.fromEffect(Effect.promise(() => new Promise<number>(() => {}))),
        Stream.make(1).pipe(Pipeline.mapParallel(() => Effect.never, { concurrency: 1 })),
        Stream.never.pipe(Pipeline.source("inner"))
      ]
      for (const stream of blocked) {
        const since = yield* Clock.currentTimeMillis
        const { at, report } = yield* inJob(
          () => stream.pipe(Pipeline.source("blocked"), Stream.runDrain),
          after(1_000)
        )
        assert.strictEqual(at, since + 1_000)
        assert.strictEqual(report.outcome, "succeeded")
        assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [["drain", false]])
        assert.strictEqual(report.stages[0]?.count, 0)
      }
    }))

  it.effect("a drain waits for the finalizers of what a blocked source holds", () =>
    Effect.gen(function*() {
      let closed = false
      const { at } = yield* inJob(
        () =>
          Stream.never.pipe(
            Stream.ensuring(Effect.andThen(Effect.sleep(30), Effect.sync(() => closed = true))),
            Pipeline.source("file"),
            Stream.runDrain
          ),
        after(100)
      )
      assert.isTrue(closed)
      assert.strictEqual(at, 130)
    }))

  it.effect("one that begins after the drain was asked for emits nothing", () =>
    Effect.gen(function*() {
      const delivered: Array<string> = []
      const sink = (what: string) => Stream.runForEach((n: number) => Effect.sync(() => delivered.push(`${what} ${n}`)))
      const { exit, report } = yield* inJob(
        () =>
          Effect.gen(function*() {
            const blocked = Stream.concat(Stream.make(1), Stream.never).pipe(Pipeline.source("first"))
            yield* Stream.concat(blocked, Stream.make(2).pipe(Pipeline.source("second"))).pipe(sink("a"))
            yield* Stream.make(3).pipe(Pipeline.source("third"), sink("b"))
            yield* Stream.make(4).pipe(sink("no source"))
          }),
        after(10)
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(delivered, ["a 1", "no source 4"])
      assert.deepStrictEqual(countsOf(report), ["first 1", "second 0", "third 0"])
    }))

  // a drain waits for what the sources had emitted, also where they have ended by themselves before
  for (
    const [what, options, drive] of [
      ["asked for", {}, after(100)],
      ["of an idle job", { autostop: { idle: 100 } }, () => Effect.void]
    ] as const
  ) {
    it.effect(`a drain ${what} after the source has ended lets what it had emitted flow on`, () =>
      Effect.gen(function*() {
        let delivered = 0
        const { report } = yield* inJob(
          () =>
            Stream.range(1, 10).pipe(
              Pipeline.source("rows"),
              Pipeline.mapParallel((n) => Effect.as(Effect.sleep(1_000), n), { concurrency: 20 }),
              Stream.runForEach(() => Effect.sync(() => delivered++))
            ),
          drive,
          options
        )
        assert.strictEqual(delivered, 10)
        assert.strictEqual(report.outcome, "succeeded")
        assert.deepStrictEqual(countsOf(report), ["rows 10", "mapParallel 1 10"])
      }))
  }

  const rows = (name: string) => Stream.range(1, 5).pipe(Pipeline.source(name))
  const slow = Stream.mapEffect((n: number) => Effect.as(Effect.sleep(100), n))
  const slowAtOnce = Stream.mapEffect((n: number) => Effect.as(Effect.sleep(1_000), n), { concurrency: 20 })
  for (
    const [what, stream] of [
      ["merge and mapEffect", () => slowAtOnce(Stream.merge(rows("one"), rows("two")))],
      ["merge and buffer", () => slow(Stream.buffer(Stream.merge(rows("one"), rows("two")), { capacity: 100 }))],
      ["merge and mapParallel", () =>
        Stream.merge(rows("one"), rows("two")).pipe(
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(1_000), n), { concurrency: 20 })
        )],
      ["mergeAll", () => slowAtOnce(Stream.mergeAll([rows("one"), rows("two")], { concurrency: 2 }))],
      ["concat", () => slowAtOnce(Stream.concat(rows("one"), rows("two")))],
      ["flatMap", () => slowAtOnce(Stream.flatMap(Stream.make("one", "two"), rows))],
      ["flatMap at a concurrency", () => slow(Stream.flatMap(Stream.make("one", "two"), rows, { concurrency: 2 }))],
      ["join", () =>
        Pipeline.join(rows("one"), rows("two"), { on: (n) => n }).pipe(
          Stream.flatMap(([l, r]) => Stream.make(l, r)),
          slow
        )],
      ["grouped", () => slow(Stream.flattenIterable(Stream.grouped(Stream.concat(rows("one"), rows("two")), 10)))]
    ] as const
  ) {
    // a stream is over when its sink is, not when its source is, or the part of it in which the source stands
    it.effect(`a drain after the sources have ended lets what they emitted flow on, through ${what}`, () =>
      Effect.gen(function*() {
        let delivered = 0
        const { report } = yield* inJob(
          () => Stream.runForEach(stream(), () => Effect.sync(() => delivered++)),
          after(50)
        )
        assert.strictEqual(delivered, 10)
        assert.strictEqual(report.outcome, "succeeded")
      }))
  }

  const following: ReadonlyArray<readonly [string, (self: Stream.Stream<number>) => Stream.Stream<unknown>]> = [
    ["nothing", (self) => self],
    ...operators.map(([name, operator]) => [name, operator(Effect.succeed, 4)] as const),
    ["a feedback without results", Pipeline.feedback(() => Effect.succeed({}))]
  ]
  for (const [name, operator] of following) {
    it.live(`one that never waits can be stopped, before ${name}`, () =>
      Effect.gen(function*() {
        const job = Job.make("busy", {
          run: () => Stream.forever(Stream.make(1)).pipe(Pipeline.source("rows"), operator, Stream.runDrain)
        })
        const run = yield* Environment.submit(job, {})
        for (const _ of upTo(20)) yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        yield* run.stop()
        const { report } = yield* run.result
        assert.strictEqual(report.outcome, "succeeded")
        assert.isAbove(report.stages[0]?.count ?? 0, 0)
      }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)), 20_000)
  }

  it.effect("without one there is no drain, whatever the operators hold", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.concat(Stream.range(1, 10), Stream.never).pipe(
            Pipeline.mapParallel(() => Effect.never, { concurrency: 2 }),
            Stream.runDrain
          ),
        after(100)
      )
      assert.strictEqual(at, 100)
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["cancel"])
      assert.deepStrictEqual(countsOf(report), ["mapParallel 1 0-10"])
    }))

  it.effect("one that is made anew for each element leaves nothing behind", () =>
    Effect.gen(function*() {
      let early = 0
      let late = 0
      const job = Job.make("files", {
        run: () =>
          Stream.range(1, 100_000).pipe(
            Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.source("file"))),
            Stream.runForEach((n) =>
              Effect.sync(() => {
                if (n === 10_000) early = heap()
                if (n === 99_000) late = heap()
              })
            )
          )
      })
      yield* Environment.run(job, {})
      assert.isAbove(early, 0)
      assert.isBelow(late - early, 10_000_000)
    }).pipe(Effect.provide(LocalEnvironment.layer)), 60_000)

  it.effect("once its stream is over there is no drain, though the run goes on", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => Effect.andThen(Stream.runDrain(Stream.make(1).pipe(Pipeline.source("warm up"))), Effect.never),
        after(100)
      )
      assert.strictEqual(at, 100)
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["cancel"])
    }))

  it.effect("a drain that its limit ends is a cancel, and counts what is dropped", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.make(1, 2, 3).pipe(
            Stream.concat(Stream.never),
            Pipeline.source("rows"),
            Pipeline.mapParallel((n) => n === 1 ? Effect.succeed(n) : Effect.never, { concurrency: 5 }),
            Stream.runDrain
          ),
        after(100),
        { stopPolicy: { drainTimeout: "2 seconds" } }
      )
      assert.strictEqual(at, 2_100)
      assert.strictEqual(report.outcome, "cancelled")
      assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [
        ["drain", true],
        ["cancel", false]
      ])
      assert.deepStrictEqual(countsOf(report), ["rows 3", "mapParallel 1 1-2"])
    }))

  it.effect("one that is repeated for ever does not keep a drain beyond its limit", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => Stream.fromEffect(Effect.sleep(10)).pipe(Pipeline.source("rows"), Stream.forever, Stream.runDrain),
        after(100),
        { stopPolicy: { drainTimeout: "2 seconds" } }
      )
      assert.strictEqual(at, 2_100)
      assert.strictEqual(report.outcome, "cancelled")
    }))

  it.effect("one without elements completes, and its services are released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const { at, exit, report } = yield* inJob(
        () =>
          Stream.empty.pipe(
            Pipeline.source("rows"),
            Pipeline.mapParallel(Effect.succeed, { concurrency: 4 }),
            Stream.runCollect
          ),
        undefined,
        { services: probe(journal, "db") }
      )
      assert.deepStrictEqual(exit, Exit.succeed([]))
      assert.strictEqual(at, 0)
      assertClean(report)
      assert.deepStrictEqual(countsOf(report), ["rows 0", "mapParallel 1 0"])
      assert.isTrue(journal.has("db", "released"))
    }))

  for (const [what, failure, reason] of failures) {
    if (reason === "Interrupt") continue
    it.effect(`${what} in a source makes the job fail with it: it neither hangs nor tries again`, () =>
      Effect.gen(function*() {
        const journal = new Journal()
        let attempts = 0
        const { at, exit, report } = yield* inJob(
          () =>
            Stream.make(1, 2).pipe(
              Stream.concat(Stream.fromEffect(Effect.suspend(() => {
                attempts++
                return failure()
              }))),
              Pipeline.source("rows"),
              Pipeline.mapParallel((n) => Effect.as(Effect.sleep(10), n), { concurrency: 1 }),
              Stream.runDrain
            ),
          undefined,
          { services: probe(journal, "db") }
        )
        assert.deepStrictEqual(reasons(exit), [reason])
        assert.strictEqual(attempts, 1)
        assert.isAtMost(at, 20)
        assert.strictEqual(report.trigger, "failed")
        assert.strictEqual(report.outcome, "failed")
        assert.include(report.reason, "broken")
        assertClean(report)
        assert.isTrue(journal.has("db", "released"))
      }))

    for (const [name, operator] of operators) {
      it.effect(`${what} in ${name} makes the job fail with it, and nothing is dropped in silence`, () =>
        Effect.gen(function*() {
          const journal = new Journal()
          let delivered = 0
          const { exit, report } = yield* inJob(
            () =>
              inChunks(upTo(20), 1, 1).pipe(
                Pipeline.source("rows"),
                operator((n) => n === 12 ? failure() : Effect.as(Effect.sleep(3), n), 4),
                Stream.runForEach(() => Effect.sync(() => delivered++))
              ),
            undefined,
            { services: probe(journal, "db") }
          )
          assert.deepStrictEqual(reasons(exit), [reason])
          assert.strictEqual(report.outcome, "failed")
          assert.strictEqual(report.trigger, "failed")
          const [source, mapped] = report.stages
          assert.strictEqual(source?.count, (mapped?.count ?? 0) + (mapped?.dropped ?? 0))
          assert.strictEqual(mapped?.count, delivered)
          assertClean(report)
          assert.isTrue(journal.has("db", "released"))
        }))
    }
  }

  it.effect("the result of a job is there at the instant in which its last element is: nothing polls", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(() =>
        inChunks(upTo(7), 1, 13).pipe(
          Pipeline.source("rows"),
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(5), n), { concurrency: 2 }),
          Stream.runDrain
        )
      )
      assert.strictEqual(at, 7 * 13 + 5)
      assert.deepStrictEqual(countsOf(report), ["rows 7", "mapParallel 1 7"])
    }))

  // the fiber lives as long as the one that runs the stream, as it does outside of a job
  it.effect("a child that was forked in the input lives on after the pull", () =>
    Effect.gen(function*() {
      const ticks: Array<number> = []
      const pipeline = () => {
        let beats = 0
        const beat = Effect.andThen(Effect.sleep(10), Effect.sync(() => beats++))
        return inChunks(upTo(3), 1, 0).pipe(
          Stream.tap((n) => n === 0 ? Effect.forkChild(Effect.forever(beat)) : Effect.sleep(100)),
          Pipeline.source("rows"),
          Stream.runDrain,
          Effect.andThen(Effect.sync(() => ticks.push(beats)))
        )
      }
      yield* toEnd(pipeline())
      yield* inJob(pipeline)
      assert.deepStrictEqual(ticks, [19, 19])
    }))
})

/** One element after each pause. */
const times = (pauses: ReadonlyArray<number>) =>
  Stream.fromIterable(pauses).pipe(Stream.rechunk(1), Stream.mapEffect((pause) => Effect.sleep(pause)))

describe("an idle job", () => {
  it.effect.prop(
    "stops exactly when no source has emitted for that long, and not while one does",
    { pauses: Schema.Array(between(0, 4_999)).check(Schema.isMaxLength(10)), start: between(0, 20_000) },
    ({ pauses, start }) =>
      Effect.gen(function*() {
        const since = yield* Clock.currentTimeMillis
        const { at, report } = yield* inJob(
          () => times(pauses).pipe(Stream.concat(Stream.never), Pipeline.source("rows"), Stream.runDrain),
          undefined,
          {
            autostop: { idle: "5 seconds" },
            services: probe(new Journal(), "slow", { acquire: { ms: start, ends: "well" } })
          }
        )
        assert.strictEqual(at - since, start + pauses.reduce((a, b) => a + b, 0) + 5_000)
        assert.strictEqual(report.trigger, "idle")
        assert.strictEqual(report.outcome, "succeeded")
        assert.strictEqual(report.stages[0]?.count, pauses.length)
      })
  )

  it.effect("is one in which every source is silent", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.merge(
            times([0, 4_000, 4_000, 4_000]).pipe(Stream.concat(Stream.never), Pipeline.source("one")),
            times([2_000, 4_000]).pipe(Stream.concat(Stream.never), Pipeline.source("two"))
          ).pipe(Stream.runDrain),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.strictEqual(at, 17_000)
      assert.strictEqual(report.trigger, "idle")
    }))

  const ended = Stream.range(1, 5).pipe(Pipeline.source("ended"))
  const silent = Stream.make(1).pipe(Stream.concat(Stream.never), Pipeline.source("silent"))
  for (
    const [what, stream] of [
      ["merge", Stream.merge(ended, silent)],
      ["concat", Stream.concat(ended, silent)],
      ["zip", Stream.zip(ended, silent)],
      ["zipLatest", Stream.zipLatest(ended, silent)],
      ["interleave", Stream.interleave(ended, silent)],
      ["join", Pipeline.join(ended, silent, { on: () => 0 })]
    ] as const
  ) {
    // a source that is asked for more and gives nothing is silent, whatever became of the others
    it.effect(`is one in which one source is silent and the other has ended or waits for it, through ${what}`, () =>
      Effect.gen(function*() {
        const { at, report } = yield* inJob(
          () => Stream.runDrain<unknown, never, never>(stream),
          undefined,
          { autostop: { idle: "5 seconds" } }
        )
        assert.deepStrictEqual([at, report.trigger, report.outcome], [5_000, "idle", "succeeded"])
      }))
  }

  it.effect("goes by its own clock, whatever clock its run has", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const ahead: Clock.Clock = {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
        currentTimeMillis: clock.currentTimeMillis,
        currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
        currentTimeNanos: clock.currentTimeNanos,
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + 3_600_000_000_000n,
        monotonicTimeNanos: Effect.sync(() => clock.monotonicTimeNanosUnsafe() + 3_600_000_000_000n),
        sleep: (duration) => clock.sleep(duration)
      }
      const { at, report } = yield* inJob(
        () =>
          times([1_000, 1_000]).pipe(
            Stream.concat(Stream.never),
            Pipeline.source("rows"),
            Stream.runDrain,
            Effect.provideService(Clock.Clock, ahead)
          ),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.deepStrictEqual([at, report.trigger], [7_000, "idle"])
    }))

  it.effect("stops before that when its run ends", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => times([1_000, 1_000]).pipe(Pipeline.source("rows"), Stream.runDrain),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.strictEqual(at, 2_000)
      assert.strictEqual(report.trigger, "completed")
    }))

  // a source that nobody asks for more is not silent
  it.effect("is not one whose source waits for a slow consumer", () =>
    Effect.gen(function*() {
      let delivered = 0
      const { at, report } = yield* inJob(
        () =>
          Stream.fromIterable(upTo(100)).pipe(
            Pipeline.source("rows"),
            Stream.runForEach(() => Effect.andThen(Effect.sleep(1_000), Effect.sync(() => delivered++)))
          ),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.deepStrictEqual([delivered, at, report.trigger], [100, 100_000, "completed"])
    }))

  it.effect("counts from when its source was asked for more, if a slow consumer let it wait", () =>
    Effect.gen(function*() {
      let delivered = 0
      const { at, report } = yield* inJob(
        () =>
          inChunks(upTo(40), 20, 1_000).pipe(
            Stream.concat(Stream.never),
            Pipeline.source("rows"),
            Stream.runForEach(() => Effect.andThen(Effect.sleep(1_000), Effect.sync(() => delivered++)))
          ),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      // twice a second to read and twenty to handle, then silence
      assert.deepStrictEqual([delivered, at, report.trigger], [40, 47_000, "idle"])
    }))

  it.effect("may be one that never had a source, or has none any longer", () =>
    Effect.gen(function*() {
      const over = Stream.runDrain(times([0, 3_000]).pipe(Pipeline.source("rows")))
      const taken = Stream.runDrain(times([0, 3_000, 60_000]).pipe(Pipeline.source("rows"), Stream.take(2)))
      for (const [before, idle] of [[Effect.void, 5_000], [over, 8_000], [taken, 8_000]] as const) {
        const since = yield* Clock.currentTimeMillis
        const { at, report } = yield* inJob(
          () => Effect.andThen(before, Effect.never),
          undefined,
          { autostop: { idle: "5 seconds" } }
        )
        assert.deepStrictEqual([at - since, report.trigger], [idle, "idle"])
      }
    }))
})

describe("the counts of a job", () => {
  const Mode = Schema.Literals(["end", "drain", "cancel", "kill", "fail"])
  const Kind = Schema.Literals(["mapParallel", "mapParallel, unordered", "keyed", "feedback", "stage"])

  it.effect.prop(
    "say of each operator what it handed on and what it dropped, however the job ends",
    {
      kinds: Schema.Array(Kind).check(Schema.isMaxLength(4)),
      count: between(0, 200),
      work: between(1, 30),
      mode: Mode,
      at: between(0, 200),
      ...Shape
    },
    ({ at, concurrency, count, kinds, mode, pause, size, work }) =>
      Effect.gen(function*() {
        let emitted = 0
        let delivered = 0
        const step = (n: number): Effect.Effect<number, string> =>
          mode === "fail" && n === at ? Effect.fail("broken") : Effect.as(Effect.sleep((n * 7) % work), n)
        const stream = kinds.reduce<Stream.Stream<number, string>>(
          (self, kind) => {
            if (kind === "stage") return self.pipe(Pipeline.stage(`stage ${kinds.indexOf(kind)}`))
            const [, operator] = operators.find(([name]) => name === kind) ?? assert.fail()
            return self.pipe(operator(step, concurrency))
          },
          inChunks(upTo(count), size, pause).pipe(
            Stream.concat(mode === "end" ? Stream.empty : Stream.never),
            Pipeline.source("rows"),
            Stream.map((n) => {
              emitted++
              return n
            })
          )
        )
        const { report } = yield* inJob(
          () => Stream.runForEach(stream, () => Effect.sync(() => delivered++)),
          mode === "end" || (mode === "fail" && at < count && kinds.some((kind) => kind !== "stage"))
            ? undefined
            : after(at, { mode: mode === "fail" ? "cancel" : mode })
        )
        const [source, ...rest] = report.stages
        assert.strictEqual(source?.count ?? 0, emitted)
        let before = emitted
        for (const stage of rest) {
          // two stages of one name have one counter
          if (stage.kind === "stage") continue
          assert.strictEqual(stage.count + (stage.dropped ?? 0), before, stage.name)
          before = stage.count
        }
        assert.isAtLeast(before, delivered)
        if (report.outcome === "succeeded") assert.deepStrictEqual([emitted, before], [delivered, delivered])
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("a join counts pairs", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Pipeline.join(
          Stream.make(1, 1, 2, 3).pipe(Pipeline.source("left")),
          Stream.make(1, 2, 2, 4).pipe(Pipeline.source("right")),
          { on: (n) => n, name: "pairs" }
        ).pipe(Stream.runDrain)
      )
      assert.deepStrictEqual(report.stages.toSorted((a, b) => a.name < b.name ? -1 : 1), [
        { name: "left", kind: "source", count: 4 },
        { name: "pairs", kind: "join", count: 4 },
        { name: "right", kind: "source", count: 4 }
      ])
    }))

  it.effect("a feedback counts results, and drops what still goes round", () =>
    Effect.gen(function*() {
      const loop = Pipeline.feedback(
        (n: number) => Effect.as(Effect.sleep(10), n > 0 ? { emit: [n], again: [n - 1, n - 1] } : {}),
        { concurrency: 4, name: "loop" }
      )
      const whole = yield* inJob(() => Stream.make(3).pipe(Pipeline.source("rows"), loop, Stream.runDrain))
      assert.deepStrictEqual(countsOf(whole.report), ["rows 1", "loop 7"])
      const cut = yield* inJob(
        () => Stream.make(3).pipe(Pipeline.source("rows"), loop, Stream.runDrain),
        after(15, { mode: "cancel" })
      )
      assert.deepStrictEqual(countsOf(cut.report), ["rows 1", "loop 1-2"])
    }))

  it.effect("a pipeline that runs again counts on, and one of the same name and another kind does not", () =>
    Effect.gen(function*() {
      const stream = Stream.make(1, 2, 3).pipe(
        Pipeline.source("rows"),
        Pipeline.stage("rows"),
        Pipeline.mapParallel(Effect.succeed, { concurrency: 2, name: "rows" })
      )
      const { report } = yield* inJob(() => Effect.andThen(Stream.runDrain(stream), Stream.runDrain(stream)))
      assert.deepStrictEqual(
        report.stages.map(({ count, kind }) => `${kind} ${count}`).toSorted(),
        ["mapParallel 6", "source 6", "stage 6"]
      )
    }))

  it.effect("operators without a name are told apart", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Stream.make(1, 2, 3).pipe(
          Pipeline.source("rows"),
          Pipeline.mapParallel(Effect.succeed, { concurrency: 2 }),
          Stream.take(2),
          Pipeline.mapParallel(Effect.succeed, { concurrency: 2 }),
          Pipeline.keyed((n) => n, Effect.succeed, { concurrency: 2 }),
          Stream.runDrain
        )
      )
      assert.strictEqual(new Set(report.stages.map(({ name }) => name)).size, 4)
      assert.deepStrictEqual(report.stages.map(({ count }) => count), [3, 3, 2, 2])
    }))

  // the report has room for what it tells; ten thousand lines of one element tell nothing
  it.effect("an operator that is made anew for each element does not get a line for each", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Stream.range(1, 10_000).pipe(
          Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.mapParallel(Effect.succeed, { concurrency: 2 }))),
          Stream.runDrain
        )
      )
      assert.strictEqual(report.stages.reduce((sum, { count }) => sum + count, 0), 10_000)
      assert.isBelow(report.stages.length, 1_000)
    }))

  // what is held is dropped, though the run does not end and its streams are not closed
  it.effect("what a run that cannot be interrupted still holds is dropped", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(
        () =>
          Stream.range(1, 10).pipe(
            Pipeline.source("rows"),
            Pipeline.mapParallel(() => Effect.uninterruptible(Effect.never), { concurrency: 3 }),
            Stream.runDrain
          ),
        after(10, { mode: "cancel" })
      )
      assert.isFalse(report.clean)
      assert.deepStrictEqual(countsOf(report), ["rows 10", "mapParallel 1 0-10"])
    }))

  it.effect("concurrent pipelines of one job count together", () =>
    Effect.gen(function*() {
      const one = inChunks(upTo(50), 7, 1).pipe(
        Pipeline.source("rows"),
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep(n % 3), n), { concurrency: 4, name: "work" }),
        Stream.runDrain
      )
      const { report } = yield* inJob(() => Effect.all([one, one, one], { concurrency: 3 }))
      assert.deepStrictEqual(countsOf(report), ["rows 150", "work 150"])
    }))
})
