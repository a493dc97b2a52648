import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { ReceivedStream } from "../../../src/host/caller/receivedStream.ts"

const received = () => {
  let acknowledged = 0
  const stream = new ReceivedStream(() => void acknowledged++)
  return { stream, acknowledged: () => acknowledged }
}

const isDone = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) && exit.cause.reasons.some((reason) => reason._tag === "Fail" && Cause.isDone(reason.error))

describe("a stream that is received", () => {
  it.effect("gives what has arrived, and asks for one more chunk each time", () =>
    Effect.gen(function*() {
      const { acknowledged, stream } = received()
      stream.emit([1, 2])
      stream.emit([3])
      assert.deepStrictEqual(yield* stream.pull, [1, 2])
      assert.deepStrictEqual(yield* stream.pull, [3])
      assert.strictEqual(acknowledged(), 2)
    }))

  it.effect("gives what had arrived before its end, asks for nothing more, and then ends", () =>
    Effect.gen(function*() {
      const { acknowledged, stream } = received()
      stream.emit([1])
      stream.end(Exit.void)
      assert.isTrue(stream.hasEnded)
      assert.deepStrictEqual(yield* stream.pull, [1])
      assert.strictEqual(acknowledged(), 0)
      assert.isTrue(isDone(yield* Effect.exit(stream.pull)))
    }))

  it.effect("wakes a consumer that waits, by a chunk or by its end", () =>
    Effect.gen(function*() {
      const { stream } = received()
      const first = yield* Effect.forkChild(stream.pull, { startImmediately: true })
      assert.isUndefined(first.pollUnsafe())
      stream.emit([1])
      assert.deepStrictEqual(yield* Fiber.join(first), [1])
      const second = yield* Effect.forkChild(stream.pull, { startImmediately: true })
      stream.end(Exit.fail("lost"))
      assert.deepStrictEqual(yield* Fiber.await(second), Exit.fail("lost"))
    }))

  it.effect("keeps a chunk that arrives after a consumer has been interrupted", () =>
    Effect.gen(function*() {
      const { stream } = received()
      const waiting = yield* Effect.forkChild(stream.pull, { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      stream.emit([1])
      assert.deepStrictEqual(yield* stream.pull, [1])
    }))

  const steps = { steps: Schema.Array(Schema.Literals(["emit", "pull", "end", "fail"])) }
  it.effect.prop(
    "keeps order and number of its chunks, and its first end",
    steps,
    ({ steps }) =>
      Effect.gen(function*() {
        const { acknowledged, stream } = received()
        const sent: Array<number> = []
        const got: Array<unknown> = []
        let end: "end" | "fail" | undefined
        let open = 0
        for (const step of steps) {
          if (step === "emit" && end === undefined) {
            sent.push(sent.length)
            stream.emit([sent.length - 1])
          } else if (step === "end" || step === "fail") {
            end ??= step
            stream.end(step === "end" ? Exit.void : Exit.fail("lost"))
          } else if (step === "pull" && got.length < sent.length) {
            if (end === undefined) open++
            got.push(...(yield* stream.pull))
          }
        }
        assert.strictEqual(acknowledged(), open)
        while (got.length < sent.length) got.push(...(yield* stream.pull))
        assert.deepStrictEqual(got, sent)
        if (end === undefined) return
        const last = yield* Effect.exit(stream.pull)
        assert.strictEqual(isDone(last), end === "end")
      })
  )
})
