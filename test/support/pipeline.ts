import { assert } from "@effect/vitest"
import { Array as Arr, Effect, Exit, Layer, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import {
  Environment,
  Job,
  type JobRun,
  LocalEnvironment,
  Pipeline,
  StopReport,
  type SubmitOptions
} from "../../src/index.ts"
import { settle } from "./jobs.ts"

/** As `settle`, under a clock that may never have moved, which keeps the finalizers of an interrupted fiber from sleeping. */
export const settleClock = Effect.andThen(TestClock.adjust(0), settle)

/** Runs an effect to its end while the clock moves on; what needs more than two days hangs. */
export const complete = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let hour = 0; hour < 50; hour++) {
      yield* settleClock
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      yield* TestClock.adjust("1 hour")
    }
    return assert.fail("it hangs")
  })

export const toEnd = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatten(complete(effect))

export const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) => toEnd(Stream.runCollect(stream))

export const reasons = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> =>
  exit._tag === "Success" ? [] : exit.cause.reasons.map((reason) => {
    if (reason._tag === "Interrupt") return "Interrupt"
    const what = reason._tag === "Fail" ? reason.error : reason.defect
    return `${reason._tag} ${what instanceof Error ? what.message : String(what)}`
  })

export const ascending = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)

export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

/** The elements of a stream in chunks of one size, with a pause before each chunk. */
export const inChunks = <A>(elements: ReadonlyArray<A>, size: number, pause: number): Stream.Stream<A> => {
  const chunks = Stream.fromIterable(Arr.chunksOf(elements, size)).pipe(Stream.rechunk(1))
  return Stream.flattenIterable(
    pause === 0 ? chunks : Stream.mapEffect(chunks, (chunk) => Effect.as(Effect.sleep(pause), chunk))
  )
}

export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

export const Step = Schema.Struct({
  how: Schema.Literals(["at once", "after a yield", "after a sleep"]),
  ms: between(1, 20)
})

export const perform = ({ how, ms }: typeof Step.Type): Effect.Effect<void> =>
  how === "at once" ? Effect.void : how === "after a yield" ? Effect.yieldNow : Effect.sleep(ms)

export const Shape = { size: between(1, 9), pause: Schema.Literals([0, 0, 1, 5]), concurrency: between(1, 12) }

/** How many run at the same time, and how many did at most. */
export class Gauge {
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

export type Operator = <E, R>(
  f: (n: number) => Effect.Effect<number, E, R>,
  concurrency: number
) => <E2, R2>(self: Stream.Stream<number, E2, R2>) => Stream.Stream<number, E | E2, R | R2>

/** Every operator that works in parallel. The tests give them no two equal elements. */
export const operators: ReadonlyArray<readonly [string, Operator]> = [
  ["mapParallel", (f, concurrency) => Pipeline.mapParallel(f, { concurrency })],
  ["mapParallel, unordered", (f, concurrency) => Pipeline.mapParallel(f, { concurrency, unordered: true })],
  ["keyed", (f, concurrency) => Pipeline.keyed((n: number) => n, f, { concurrency })],
  [
    "feedback",
    (f, concurrency) => Pipeline.feedback((n: number) => Effect.map(f(n), (m) => ({ emit: [m] })), { concurrency })
  ]
]

export const failures: ReadonlyArray<readonly [string, () => Effect.Effect<never, string>, string]> = [
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
export const heap = (): number => {
  if (typeof collectGarbage === "function") collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Passes many elements through an operator whose effects end at once. */
export const overflowsNoStack = (operator: Operator, count: number) =>
  Effect.gen(function*() {
    for (const stream of [Stream.fromArray(upTo(count)), Stream.range(0, count - 1).pipe(Stream.rechunk(1))]) {
      const sum = yield* stream.pipe(operator(Effect.succeed, 16), Stream.runFold(() => 0, (sum, n) => sum + n))
      assert.strictEqual(sum, count * (count - 1) / 2)
    }
  })

/** Compares the heap near the end with that after a tenth of the elements. */
export const needsNoMoreMemory = (operator: Operator, count: number) =>
  Effect.gen(function*() {
    let early = 0
    let late = 0
    yield* Stream.range(1, count, 1_000).pipe(
      operator((n) => n % 10 === 0 ? Effect.as(Effect.yieldNow, n) : Effect.succeed(n), 16),
      Stream.map(() => upTo(10)),
      Stream.zipWithIndex,
      Stream.runForEach(([, n]) =>
        Effect.sync(() => {
          if (n === count / 10) early = heap()
          if (n === count - 1_000) late = heap()
        })
      )
    )
    assert.isAbove(early, 0)
    assert.isBelow(late - early, Math.min(8_000_000, Math.max(3_000_000, 8 * count)))
  })

/** The element itself is its key, but one has none. */
export const keyBut = (broken: number) => (n: number): number => {
  if (n === broken) throw new Error("no key")
  return n
}

interface Ended {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly report: StopReport
  /** Clock milliseconds. */
  readonly at: number
}

type Drive = (run: JobRun<unknown, unknown>) => Effect.Effect<void>

/** Runs a pipeline as a job, does something to it, and waits for its end. */
export const inJob = (
  pipeline: () => Effect.Effect<unknown, unknown, Scope.Scope>,
  drive: Drive = () => Effect.void,
  options: SubmitOptions & { readonly services?: Layer.Layer<never> } = {}
): Effect.Effect<Ended> =>
  Effect.gen(function*() {
    const { services = Layer.empty, ...rest } = options
    const job = Job.make("pipeline", { success: Schema.Unknown, error: Schema.Unknown, services, run: pipeline })
    const run = yield* Effect.orDie(Environment.submit(job, {}, rest))
    const ended = Effect.gen(function*() {
      yield* settleClock
      yield* drive(run)
      const { exit, report } = yield* toEnd(run.result)
      return { exit, report, at: Date.parse(report.stoppedAt) }
    })
    return yield* Effect.onError(ended, () => run.stop({ mode: "kill" }))
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))

export const after = (ms: number, options?: Parameters<JobRun<unknown, unknown>["stop"]>[0]): Drive => (run) =>
  Effect.andThen(TestClock.adjust(ms), run.stop(options))

export const countsOf = (report: StopReport) =>
  report.stages.map(({ count, dropped, name }) =>
    dropped === undefined ? `${name} ${count}` : `${name} ${count}-${dropped}`
  )

/** Elements that come in bursts and never end; notes each one as it leaves the source. */
export class Endless {
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
