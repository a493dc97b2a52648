import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { groupCommit } from "../../../src/manager/store/groupCommit.ts"

type Fault = "of a value" | "of the store"

/** A store that writes what it is told to, and the commits that it was asked for. */
const committing = (most: number, fails: (values: ReadonlyArray<string>) => Fault | undefined = () => undefined) =>
  Effect.gen(function*() {
    const commits: Array<ReadonlyArray<string>> = []
    const gates: Array<Deferred.Deferred<void>> = []
    const write = yield* groupCommit({
      most,
      isOfValue: (fault: Fault) => fault === "of a value",
      write: (values: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          commits.push(values)
          const gate = gates[commits.length - 1]
          if (gate !== undefined) yield* Deferred.await(gate)
          const fault = fails(values)
          if (fault !== undefined) return yield* Effect.fail(fault)
          return values.map((value) => `${value}!`)
        })
    })
    /** Holds the nth commit until the gate is opened. */
    const hold = (nth: number) => (gates[nth] = Deferred.makeUnsafe<void>())
    return { write, commits, hold }
  })

const failed = (fault: Fault): Exit.Exit<string, Fault> => Exit.fail(fault)

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("a group commit", () => {
  it.effect("writes at once what comes in one turn, and gives each caller its own result", () =>
    Effect.gen(function*() {
      const { commits, write } = yield* committing(9)
      const results = yield* Effect.forEach(["a", "b", "c"], write, { concurrency: "unbounded" })
      assert.deepStrictEqual(results, ["a!", "b!", "c!"])
      assert.deepStrictEqual(commits, [["a", "b", "c"]])
      assert.strictEqual(yield* write("d"), "d!")
      assert.deepStrictEqual(commits.at(-1), ["d"])
    }))

  it.effect("answers nobody before the commit, and joins what comes meanwhile", () =>
    Effect.gen(function*() {
      const { commits, hold, write } = yield* committing(2)
      const gate = hold(0)
      const first = yield* fork(write("a"))
      while (commits.length === 0) yield* Effect.yieldNow
      const later = yield* Effect.forEach(["b", "c", "d"], (value) => fork(write(value)))
      for (let turn = 0; turn < 5; turn++) yield* Effect.yieldNow
      assert.isUndefined(first.pollUnsafe())
      assert.deepStrictEqual(commits, [["a"]])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(first), "a!")
      assert.deepStrictEqual(yield* Effect.forEach(later, Fiber.join), ["b!", "c!", "d!"])
      // no more than so many at once, in their order
      assert.deepStrictEqual(commits, [["a"], ["b", "c"], ["d"]])
    }))

  it.effect("fails only the caller whose value is at fault", () =>
    Effect.gen(function*() {
      const { commits, write } = yield* committing(9, (values) => values.includes("bad") ? "of a value" : undefined)
      const exits = yield* Effect.forEach(["a", "bad", "c"], (value) => Effect.exit(write(value)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(exits, [Exit.succeed("a!"), failed("of a value"), Exit.succeed("c!")])
      assert.deepStrictEqual(commits, [["a", "bad", "c"], ["a"], ["bad"], ["c"]])
    }))

  it.effect("fails all callers with the store, and works again afterwards", () =>
    Effect.gen(function*() {
      let isDown = true
      const { commits, write } = yield* committing(9, () => isDown ? "of the store" : undefined)
      const exits = yield* Effect.forEach(["a", "b"], (value) => Effect.exit(write(value)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(exits, [failed("of the store"), failed("of the store")])
      assert.deepStrictEqual(commits, [["a", "b"]])
      isDown = false
      assert.strictEqual(yield* write("c"), "c!")
    }))

  it.effect("dies with what the write dies with, and works again afterwards", () =>
    Effect.gen(function*() {
      let isBroken = true
      const { write } = yield* committing(9, () => {
        if (isBroken) throw new Error("broken")
        return undefined
      })
      const exit = yield* Effect.exit(write("a"))
      assert.isTrue(Exit.hasDies(exit))
      isBroken = false
      assert.strictEqual(yield* write("b"), "b!")
    }))

  it.effect("writes nothing of a caller that is interrupted before its commit, and all of one that is later", () =>
    Effect.gen(function*() {
      const { commits, hold, write } = yield* committing(9)
      const gate = hold(0)
      const first = yield* fork(write("a"))
      while (commits.length === 0) yield* Effect.yieldNow
      const interrupted = yield* fork(write("b"))
      const other = yield* fork(write("c"))
      yield* Fiber.interrupt(interrupted)
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(other), "c!")
      assert.deepStrictEqual(commits, [["a"], ["c"]])
    }))
})
