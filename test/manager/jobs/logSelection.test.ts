import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { logFeed } from "../../../src/manager/jobs/jobFeeds.ts"
import { selectedLines } from "../../../src/manager/jobs/logSelection.ts"
import type { LogQuery } from "../../../src/manager/Manager.ts"
import type { LogLine } from "../../../src/manager/models.ts"
import { activeJob } from "../../support/activeJob.ts"
import { settle } from "../../support/jobs.ts"

const line = (seq: number, text: string, more: Partial<LogLine> = {}): LogLine => ({
  seq,
  at: new Date(seq * 1_000).toISOString(),
  stream: "stdout",
  text,
  ...more
})

/** Returns the numbers of the lines that are selected of those in these pieces. */
const selected = (pieces: ReadonlyArray<ReadonlyArray<LogLine>>, query: LogQuery) =>
  Effect.gen(function*() {
    const left = [...pieces]
    const read = selectedLines(() => left.shift() ?? [], query)
    const found: Array<number> = []
    for (let lines = yield* read; lines.length > 0; lines = yield* read) found.push(...lines.map(({ seq }) => seq))
    return found
  })

describe("the lines that are selected of a log", () => {
  const pieces = [
    [line(1, "one"), line(2, "two bad")],
    [line(3, "three")],
    [line(4, "four bad"), line(5, "five"), line(6, "six bad")]
  ]
  it.effect("are those since a time, with a text, and of these the last ones", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* selected(pieces, {}), [1, 2, 3, 4, 5, 6])
      assert.deepStrictEqual(yield* selected(pieces, { grep: "bad" }), [2, 4, 6])
      assert.deepStrictEqual(yield* selected(pieces, { since: new Date(3_000).toISOString() }), [3, 4, 5, 6])
      assert.deepStrictEqual(yield* selected(pieces, { tail: 2 }), [5, 6])
      assert.deepStrictEqual(yield* selected(pieces, { tail: 0 }), [])
      assert.deepStrictEqual(yield* selected(pieces, { tail: 9 }), [1, 2, 3, 4, 5, 6])
      assert.deepStrictEqual(yield* selected(pieces, { tail: 2, grep: "bad" }), [4, 6])
      assert.deepStrictEqual(yield* selected(pieces, { grep: "nothing" }), [])
    }))

  it.effect("go on to the end of a line that comes in parts, which is one line", () =>
    Effect.gen(function*() {
      const parts = [[
        line(1, "begins", { mark: "continued" }),
        line(2, "bad here", { mark: "continued" }),
        line(3, "beside", { stream: "stderr" }),
        line(4, "ends"),
        line(5, "next")
      ]]
      assert.deepStrictEqual(yield* selected(parts, { grep: "bad" }), [2, 4])
      assert.deepStrictEqual(yield* selected(parts, { grep: "bad", tail: 1 }), [2, 4])
      assert.deepStrictEqual(yield* selected(parts, { tail: 1 }), [5])
    }))

  it.effect.prop(
    "are the last ones however the log is read in pieces",
    {
      sizes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))).check(Schema.isMaxLength(20)),
      tail: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
    },
    ({ sizes, tail }) =>
      Effect.gen(function*() {
        let seq = 0
        const pieces = sizes.map((size) => Array.from({ length: size }, () => line(++seq, "text")))
        const all = pieces.flat().map(({ seq }) => seq)
        assert.deepStrictEqual(yield* selected(pieces, { tail }), tail === 0 ? [] : all.slice(-tail))
      })
  )

  it.live("are the last ones so far and all later ones if the job goes on", () =>
    Effect.gen(function*() {
      const job = activeJob("tailed")
      const print = (...texts: ReadonlyArray<string>) =>
        Effect.promise(() => job.log.add("stdout", texts.map((text) => ({ text })), "2026-01-01T00:00:00.000Z"))
      yield* print("one bad", "two", "three bad", "four")
      const feed = logFeed("", "tailed", job, 0, { tail: 1, grep: "bad" })
      const reading = yield* Effect.forkChild(Stream.runCollect(feed), { startImmediately: true })
      yield* settle
      yield* print("five", "six bad")
      yield* print("seven")
      yield* print("eight bad")
      job.finished.open()
      job.announce()
      assert.deepStrictEqual((yield* Fiber.join(reading)).map(({ text }) => text), [
        "three bad",
        "six bad",
        "eight bad"
      ])
    }))
})
