// What the jobs of the stop cases are made of: services that record their lives in a file, and a run that does what
// its payload says. A job is a module of its own, so that a manager can run it in a process.
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { appendFileSync, writeFileSync } from "node:fs"
import { Job, Pipeline, Service } from "../../../src/index.ts"
import { Lateness } from "../../support/lateness.ts"
import type { Behaviour } from "../../../src/testing.ts"

/** The name of the service that keeps the journal. */
export const journalName = "test/Journal"

/**
 * What happened, in a file that the test reads: an independent trace, wherever the job runs. A file beside it says by how
 * much the machine was late.
 */
class Journal extends Context.Service<Journal, {
  /** Where it is; what was written before goes there first. */
  readonly open: (file: string) => void
  readonly write: (line: string) => Effect.Effect<void>
}>()(journalName) {
  static readonly layer = Layer.effect(
    Journal,
    Effect.gen(function*() {
      const unwritten: Array<string> = []
      let add = (line: string): void => void unwritten.push(line)
      let path: string | undefined
      const lateness = yield* Effect.acquireRelease(
        Effect.sync(() => new Lateness()),
        (lateness) => Effect.sync(() => lateness.stop())
      )
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          if (path !== undefined) writeFileSync(`${path}.late`, String(lateness.ms))
        })
      )
      return Journal.of({
        open: (file) => {
          path = file
          add = (line) => appendFileSync(file, `${line}\n`)
          unwritten.forEach((line) => add(line))
        },
        write: (line) => Effect.sync(() => add(line))
      })
    })
  )
}

type Tag = Context.Key<never, string>

/** A service, for the jobs and for the services that need it. */
export interface Piece {
  readonly tag: Tag
  readonly layer: Layer.Layer<never, never, Journal>
}

export interface PieceOptions extends Service.Options {
  readonly acquire?: Behaviour
  readonly release?: Behaviour
  readonly needs?: readonly [Piece, ...Array<Piece>]
}

export const hangs: Behaviour = { ms: 0, ends: "never" }
export const dies: Behaviour = { ms: 0, ends: "die" }
export const takes = (ms: number): Behaviour => ({ ms, ends: "well" })

const behave = (name: string, { ends, ms }: Behaviour) =>
  Effect.andThen(
    ms === 0 ? Effect.void : Effect.sleep(ms),
    ends === "never" ? Effect.never : ends === "well" ? Effect.void : Effect.die(new Error(`${name} dies`))
  )

/** A service that says when it is opened and closed, and takes its time, dies or hangs as it is told to. */
export const piece = (name: string, options: PieceOptions = {}): Piece => {
  const { acquire = takes(0), needs, release = takes(0) } = options
  const tag: Tag = Context.Service<never, string>(name)
  const life = Effect.gen(function*() {
    const { write } = yield* Journal
    for (const { tag } of needs ?? []) yield* tag
    const close = Effect.andThen(behave(name, release), write(`closed ${name}`))
    const open = Effect.andThen(behave(name, acquire), write(`opened ${name}`))
    yield* Effect.acquireRelease(open, () => Effect.andThen(write(`closing ${name}`), close))
    return name
  })
  const own = Service.layer(tag, life, options)
  const [first, ...rest] = (needs ?? []).map(({ layer }) => layer)
  return { tag, layer: first === undefined ? own : Layer.provide(own, [first, ...rest]) }
}

export class Broken extends Schema.TaggedError<Broken>()("Broken", { at: Schema.Date }) {}

export const acts = [
  "add",
  "fail",
  "die",
  "wait",
  "nap",
  "finish",
  "units",
  "flow",
  "burst",
  "drop",
  "stuck",
  "sleepless",
  "notice",
  "detach",
  "cling"
] as const

const payload = {
  act: Schema.Literals(acts),
  /** The file of its journal. */
  journal: Schema.String,
  at: Schema.Date
}

const act = ({ act, at, journal: file }: Schema.Struct<typeof payload>["Type"]) =>
  Effect.gen(function*() {
    const { open, write } = yield* Journal
    open(file)
    const row = (n: number) => write(`row ${n}`)
    yield* write("running")
    switch (act) {
      case "add":
        break
      case "fail":
        return yield* new Broken({ at })
      case "die":
        return yield* Effect.die(new TypeError("it broke"))
      case "wait":
        return yield* Effect.never
      case "nap":
        yield* Effect.sleep("300 millis")
        break
      // has a little to do once it is to stop
      case "finish":
        yield* Job.stopping
        yield* Effect.sleep("100 millis")
        break
      case "units":
        return yield* Effect.forever(Job.unit(
          "unit",
          Effect.andThen(Effect.andThen(write("unit begins"), Effect.sleep("200 millis")), write("unit ends"))
        ))
      // more and more of it is under way, at every stage of the pipeline
      case "flow":
        yield* Stream.tick("2 millis").pipe(
          Stream.zipWithIndex,
          Pipeline.source("ticks"),
          Pipeline.mapParallel(([, n]) => Effect.as(Effect.sleep("20 millis"), n), { concurrency: 8, name: "work" }),
          Stream.rechunk(1),
          Stream.buffer({ capacity: 4 }),
          Stream.runForEach((n) => Effect.andThen(Effect.sleep("4 millis"), row(n)))
        )
        break
      // a few, and then no more, without an end
      case "burst":
        yield* Stream.range(1, 5).pipe(Stream.concat(Stream.never), Pipeline.source("burst"), Stream.runForEach(row))
        break
      // ten are emitted, four delivered; the others never are
      case "drop":
        yield* Stream.range(1, 10).pipe(
          Pipeline.source("range"),
          Pipeline.mapParallel((n) => n > 4 ? Effect.never : Effect.succeed(n), { concurrency: 2, name: "work" }),
          Stream.runForEach(row)
        )
        break
      // what it has emitted is never delivered: a drain cannot end
      case "stuck":
        yield* Stream.make(1).pipe(
          Stream.concat(Stream.never),
          Pipeline.source("one"),
          Stream.mapEffect((n) => Effect.andThen(row(n), Effect.never)),
          Stream.runDrain
        )
        break
      // takes no notice of an interrupt
      case "sleepless":
        return yield* Effect.uninterruptible(Effect.never)
      case "notice":
        yield* Effect.forkChild(Effect.andThen(Job.stopping, write("noticed")))
        yield* Stream.never.pipe(Pipeline.source("never"), Stream.runDrain)
        break
      // a fiber that outlives the run, and ends when it is interrupted
      case "detach":
        yield* Effect.forkDetach(Effect.onInterrupt(Effect.never, () => write("interrupted")))
        yield* Effect.yieldNow
        break
      // one that does not
      case "cling":
        yield* Effect.forkDetach(Effect.uninterruptible(Effect.never))
        yield* Effect.yieldNow
        break
    }
    return { at: new Date(at.getTime() + 1), sum: 2n ** 64n }
  })

/** A job with these services that does what its payload says. */
export const jobWith = (
  name: string,
  ...[first, ...rest]: readonly [Layer.Layer<never, never, Journal>, ...Array<Layer.Layer<never, never, Journal>>]
) =>
  Job.make(name, {
    payload,
    success: Schema.Struct({ at: Schema.Date, sum: Schema.BigInt }),
    error: Broken,
    stopPolicy: {
      deadline: "4 seconds",
      drain: "work",
      drainTimeout: "2 seconds",
      cancelTimeout: "1 second",
      releaseTimeout: "1 second",
      killTimeout: "500 millis"
    },
    services: Layer.provideMerge(Layer.mergeAll(first, ...rest), Journal.layer),
    run: act
  })
