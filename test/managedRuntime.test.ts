import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer } from "effect"
import { autostop } from "../src/index.ts"
import { serviceOf } from "./support/jobs.ts"

class Db extends Context.Service<Db, { readonly rows: number }>()("app/Db") {}

const db = (log: Array<string>, release: Effect.Effect<void> = Effect.void) =>
  Layer.effect(
    Db,
    Effect.acquireRelease(
      Effect.sync(() => {
        log.push("open")
        return { rows: 3 }
      }),
      () => Effect.andThen(release, Effect.sync(() => log.push("close")))
    )
  )

const rows = Db.use(({ rows }) => Effect.succeed(rows))

describe("managedRuntime", () => {
  it("builds its layer once, at its first use, and reports its release", async () => {
    const log: Array<string> = []
    const runtime = autostop.managedRuntime(db(log))
    assert.deepStrictEqual(log, [])
    assert.deepStrictEqual(await Promise.all([runtime.runPromise(rows), runtime.runPromise(rows)]), [3, 3])
    assert.deepStrictEqual(log, ["open"])
    const report = await runtime.dispose()
    assert.deepStrictEqual(log, ["open", "close"])
    assert.isTrue(report.clean)
    assert.include(serviceOf(report, "app/Db"), { managed: false, outcome: "released" })
    assert.strictEqual(await runtime.dispose(), report)
  })

  it("fails each use as its layer fails", async () => {
    const runtime = autostop.managedRuntime(Layer.effect(Db, Effect.fail("no licence")))
    for (let n = 0; n < 2; n++) {
      assert.strictEqual(await runtime.runPromise(Effect.flip(rows)).catch((e) => e), "no licence")
    }
    assert.isTrue((await runtime.dispose()).clean)
  })

  it("interrupts what it runs before it releases its layer", async () => {
    const log: Array<string> = []
    const runtime = autostop.managedRuntime(db(log))
    const begun = Deferred.makeUnsafe<void>()
    const fiber = runtime.runFork(
      Effect.andThen(Deferred.succeed(begun, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted"))),
        Effect.andThen(rows)
      )
    )
    await Effect.runPromise(Deferred.await(begun))
    assert.isTrue((await runtime.dispose()).clean)
    assert.deepStrictEqual(log, ["open", "interrupted", "close"])
    assert.isDefined(fiber.pollUnsafe())
  })

  it("disposes within the limits though a release hangs, and names it", async () => {
    const runtime = autostop.managedRuntime(db([], Effect.never), { stopPolicy: { releaseTimeout: "50ms" } })
    await runtime.runPromise(rows)
    const report = await runtime.dispose()
    assert.isFalse(report.clean)
    assert.strictEqual(serviceOf(report, "app/Db").outcome, "abandoned")
  })

  it("disposes within the limits though what it runs does not end, and says so", async () => {
    const log: Array<string> = []
    const runtime = autostop.managedRuntime(db(log), { stopPolicy: { cancelTimeout: "50ms" } })
    const begun = Deferred.makeUnsafe<void>()
    runtime.runFork(Effect.uninterruptible(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)))
    await Effect.runPromise(Deferred.await(begun))
    const report = await runtime.dispose()
    assert.deepStrictEqual(report.leftovers.map(({ kind }) => kind), ["run"])
    assert.deepStrictEqual(log, ["open", "close"])
  })

  it("has a line for what its effects provide", async () => {
    const runtime = autostop.managedRuntime(Layer.empty)
    assert.strictEqual(await runtime.runPromise(Effect.provide(rows, db([]))), 3)
    const report = await runtime.dispose()
    assert.strictEqual(serviceOf(report, "app/Db").outcome, "released")
  })

  it("is disposed without a use", async () => {
    const log: Array<string> = []
    const runtime = autostop.managedRuntime(db(log))
    const report = await runtime.dispose()
    assert.isTrue(report.clean)
    assert.deepStrictEqual(report.services, [])
    assert.isTrue((await runtime.runPromiseExit(rows))._tag === "Failure")
    assert.deepStrictEqual(log, [])
  })

  it("refuses a setting that cannot be used, at its first use", async () => {
    const runtime = autostop.managedRuntime(db([]), { stopPolicy: { deadline: -1 } })
    assert.match(String(await runtime.runPromise(rows).catch((error: unknown) => error)), /deadline/)
  })
})
