import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { type Change, ReplicaPool } from "../../../src/host/caller/replicaPool.ts"
import { HostError } from "../../../src/host/hostError.ts"
import * as restart from "../../../src/host/restartPolicy.ts"
import { policyMillis } from "../../../src/internal/policy/policyMillis.ts"
import { StopPolicy } from "../../../src/StopPolicy.ts"
import { contract, double, type FakeHost, FakeHosts } from "../services/fakeHost.ts"

interface Options {
  readonly replicas?: number
  readonly restart?: restart.RestartPolicy
  readonly startLimitMs?: number
  readonly heartbeatMs?: number
  /** What a host does as soon as it is opened; by default it is ready. */
  readonly onOpen?: (host: FakeHost) => void
}

/** A pool of hosts in memory, and what has happened to them, each with the time in milliseconds. */
const poolOf = (options: Options = {}) =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const changes: Array<readonly [atMs: number, change: Change["_tag"]]> = []
    const delays: Array<number> = []
    const fake = new FakeHosts(options.onOpen ?? readySoon)
    const pool = new ReplicaPool({
      open: fake.open,
      init: {
        service: contract.name,
        version: contract.version,
        fingerprint: contract.fingerprint,
        module: "memory",
        limits: policyMillis(yield* StopPolicy.Defaults)
      },
      service: "test/Lean",
      startLimitMs: options.startLimitMs ?? 30_000,
      heartbeatMs: options.heartbeatMs ?? Infinity,
      replicas: options.replicas ?? 1,
      restart: options.restart ?? restart.never,
      clock,
      onEvent: () => {},
      onChange: (_, change) => {
        changes.push([clock.currentTimeMillisUnsafe(), change._tag])
        if (change._tag === "HostRestarting") delays.push(change.delayMs)
      }
    })
    const timesOf = (tag: Change["_tag"]) => changes.flatMap(([at, change]) => change === tag ? [at] : [])
    return { changes, delays, fake, pool, timesOf }
  })

/** Frames are sent at the end of a turn: nothing arrives before the pool listens. */
const readySoon = (host: FakeHost) => queueMicrotask(() => host.ready())

/** Lets everything happen that needs no time. */
const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })

/** A pool that has started, and the fiber that replaces its hosts. */
const started = (options: Options = {}) =>
  Effect.gen(function*() {
    const made = yield* poolOf(options)
    yield* made.pool.start
    const supervising = yield* Effect.forkScoped(made.pool.supervise)
    yield* settle
    return { ...made, supervising }
  })

/** The newest host ends. */
const lose = (fake: FakeHosts) => Effect.andThen(Effect.sync(() => fake.last.exit()), settle)

const errorOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = Exit.isFailure(exit) ? exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error : undefined
  assert.instanceOf(error, HostError)
  return error
}

describe("a host that dies", () => {
  it.effect("is not replaced by `never`", () =>
    Effect.gen(function*() {
      const { fake, supervising, timesOf } = yield* started()
      yield* TestClock.adjust(500)
      yield* lose(fake)
      const error = errorOf(yield* Fiber.await(supervising))
      assert.strictEqual(error.reason, "lost")
      assert.include(error.message, "its process exited with code 9")
      assert.deepStrictEqual(timesOf("HostLost"), [500])
      assert.strictEqual(fake.hosts.length, 1)
    }))

  it.effect("is replaced by `fixed` after the same delay, as often as it says", () =>
    Effect.gen(function*() {
      const { delays, fake, supervising, timesOf } = yield* started({
        restart: restart.fixed({ delay: "2 seconds", times: 3 })
      })
      for (let restarts = 1; restarts <= 3; restarts++) {
        yield* lose(fake)
        yield* TestClock.adjust(1_999)
        assert.strictEqual(fake.hosts.length, restarts)
        yield* TestClock.adjust(1)
        assert.strictEqual(fake.hosts.length, restarts + 1)
      }
      yield* lose(fake)
      assert.strictEqual(errorOf(yield* Fiber.await(supervising)).reason, "lost")
      assert.deepStrictEqual(delays, [2_000, 2_000, 2_000])
      assert.deepStrictEqual(timesOf("HostStarted"), [0, 2_000, 4_000, 6_000])
    }))

  it.effect("is replaced by `exponential` after delays that grow up to the longest", () =>
    Effect.gen(function*() {
      const { delays, fake, supervising } = yield* started({
        restart: restart.exponential({ delay: "1 second", factor: 3, maxDelay: "20 seconds", times: 5 })
      })
      for (let loss = 0; loss < 5; loss++) {
        yield* lose(fake)
        yield* TestClock.adjust("20 seconds")
      }
      assert.isUndefined(supervising.pollUnsafe())
      yield* lose(fake)
      yield* Fiber.await(supervising)
      assert.deepStrictEqual(delays, [1_000, 3_000, 9_000, 20_000, 20_000])
    }))

  it.effect("is replaced by `failureRate` if it is the last that an interval allows, and not one more", () =>
    Effect.gen(function*() {
      const { fake, supervising } = yield* started({
        restart: restart.failureRate({ failures: 2, interval: "10 seconds", delay: 0 })
      })
      yield* lose(fake)
      yield* TestClock.adjust(9_998)
      yield* lose(fake)
      yield* TestClock.adjust(1)
      assert.strictEqual(fake.hosts.length, 3)
      yield* lose(fake)
      errorOf(yield* Fiber.await(supervising))
    }))

  it.effect("is replaced by `failureRate` if the oldest failure is exactly as old as the interval", () =>
    Effect.gen(function*() {
      const { fake, supervising } = yield* started({
        restart: restart.failureRate({ failures: 2, interval: "10 seconds", delay: 0 })
      })
      yield* lose(fake)
      yield* TestClock.adjust(9_998)
      yield* lose(fake)
      yield* TestClock.adjust(2)
      yield* lose(fake)
      yield* TestClock.adjust(0)
      yield* settle
      assert.isUndefined(supervising.pollUnsafe())
      assert.strictEqual(fake.hosts.length, 4)
    }))

  it.effect("is replaced after months, if its policy says so", () =>
    Effect.gen(function*() {
      const { fake } = yield* started({ restart: restart.fixed({ delay: Duration.days(60) }) })
      yield* lose(fake)
      yield* TestClock.adjust(Duration.days(59))
      assert.strictEqual(fake.hosts.length, 1)
      yield* TestClock.adjust(Duration.days(1))
      assert.strictEqual(fake.hosts.length, 2)
    }))

  it.effect("is cleared away before it is replaced", () =>
    Effect.gen(function*() {
      const { fake } = yield* started({ restart: restart.fixed({ delay: 0 }) })
      yield* lose(fake)
      assert.deepStrictEqual(fake.hosts.map(({ kills }) => kills), [1, 0])
    }))

  it.effect("while it is replaced keeps calls waiting, and the replacement answers them", () =>
    Effect.gen(function*() {
      const { fake, pool } = yield* started({ restart: restart.fixed({ delay: "5 seconds" }) })
      yield* lose(fake)
      const call = yield* Effect.forkChild(pool.call(double, { n: 2 }))
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(call.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* settle
      fake.last.answer(double, 4)
      assert.strictEqual(yield* Fiber.join(call), 4)
    }))

  it.effect("and is not replaced fails the calls that wait", () =>
    Effect.gen(function*() {
      const { fake, pool, supervising } = yield* started()
      yield* lose(fake)
      yield* Fiber.await(supervising)
      assert.strictEqual(errorOf(yield* Effect.exit(pool.call(double, { n: 2 }))).reason, "lost")
    }))
})

describe("a host that starts", () => {
  it.effect("may take as long as its limit, and fails at it", () =>
    Effect.gen(function*() {
      const { fake, pool } = yield* poolOf({ startLimitMs: 4_000, onOpen: () => {} })
      const starting = yield* Effect.forkChild(pool.start)
      yield* TestClock.adjust(3_999)
      assert.isUndefined(starting.pollUnsafe())
      yield* TestClock.adjust(1)
      const error = errorOf(yield* Fiber.await(starting))
      assert.strictEqual(error.reason, "start")
      assert.include(error.message, "it was not ready within 4000 ms")
      assert.strictEqual(fake.last.kills, 1)
    }))

  it.effect("in time is up, and has no limit from then on", () =>
    Effect.gen(function*() {
      const { fake, pool, timesOf } = yield* poolOf({ startLimitMs: 4_000, onOpen: () => {} })
      const starting = yield* Effect.forkChild(pool.start)
      yield* TestClock.adjust(3_999)
      fake.last.ready()
      yield* settle
      yield* Fiber.join(starting)
      assert.deepStrictEqual(timesOf("HostStarted"), [3_999])
      assert.deepInclude(pool.slots[0]?.replica.state, { _tag: "Up", startMs: 3_999 })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(pool.slots[0]?.replica.state._tag, "Up")
    }))

  it.effect("and is refused says why once it has exited", () =>
    Effect.gen(function*() {
      const { pool } = yield* poolOf({
        onOpen: (host) =>
          queueMicrotask(() => {
            host.refuse("the module is missing")
            queueMicrotask(() => host.exit())
          })
      })
      const error = errorOf(yield* Effect.exit(pool.start))
      assert.include(error, { reason: "start" })
      assert.include(error.message, "the module is missing")
    }))
})

describe("the heartbeat of a host", () => {
  it.effect("reports a host that is blocked and one that answers again, and its calls go on", () =>
    Effect.gen(function*() {
      const { changes, fake, pool } = yield* started({ heartbeatMs: 1_000 })
      const call = yield* Effect.forkChild(pool.call(double, { n: 2 }))
      yield* settle
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(changes, [[0, "HostStarted"], [2_000, "HostUnresponsive"]])
      yield* TestClock.adjust(500)
      fake.last.answer(double, 4)
      assert.strictEqual(yield* Fiber.join(call), 4)
      assert.deepStrictEqual(changes.slice(2), [[2_500, "HostResponsive"]])
    }))

  it.effect("is never overdue while pings are answered", () =>
    Effect.gen(function*() {
      const { changes, fake } = yield* started({ heartbeatMs: 1_000 })
      for (let second = 0; second < 60; second++) {
        yield* TestClock.adjust("1 second")
        yield* settle
        fake.last.answerPing()
        yield* settle
      }
      assert.strictEqual(fake.last.received("ping"), 60)
      assert.deepStrictEqual(changes, [[0, "HostStarted"]])
    }))

  it.effect("lets an interrupt of a call wait for its handler, but not while the host is blocked", () =>
    Effect.gen(function*() {
      const { fake, pool } = yield* started({ heartbeatMs: 1_000 })
      const call = yield* Effect.forkChild(pool.call(double, { n: 2 }))
      yield* settle
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(call))
      yield* settle
      assert.strictEqual(fake.last.received("interrupt"), 1)
      assert.isUndefined(interrupting.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* settle
      assert.isDefined(interrupting.pollUnsafe())
    }))

  it.effect("ends with its host", () =>
    Effect.gen(function*() {
      const { fake } = yield* started({ heartbeatMs: 1_000 })
      yield* lose(fake)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(fake.last.received("ping"), 0)
    }))
})

describe("a pool that is stopped", () => {
  it.effect("lets a call in flight take half of its limit, and refuses others", () =>
    Effect.gen(function*() {
      const { fake, pool } = yield* started()
      const call = yield* Effect.forkChild(Effect.exit(pool.call(double, { n: 2 })))
      yield* settle
      const stopping = yield* Effect.forkChild(pool.stop(10_000))
      yield* TestClock.adjust(4_999)
      assert.strictEqual(fake.last.received("stop"), 0)
      assert.strictEqual(errorOf(yield* Effect.exit(pool.call(double, { n: 1 }))).reason, "stopped")
      yield* TestClock.adjust(1)
      yield* settle
      assert.strictEqual(fake.last.received("stop"), 1)
      fake.last.finish()
      yield* settle
      fake.last.exit("its process exited with code 0")
      yield* Fiber.join(stopping)
      const error = errorOf(yield* Fiber.join(call))
      assert.strictEqual(error.reason, "stopped")
      assert.strictEqual(pool.slots[0]?.replica.state._tag, "Exited")
    }))

  it.effect("asks its hosts to stop as soon as no call is in flight", () =>
    Effect.gen(function*() {
      const { fake, pool } = yield* started()
      yield* Effect.forkChild(pool.stop(10_000))
      yield* settle
      assert.strictEqual(fake.last.received("stop"), 1)
    }))

  it.effect("dies with how a host ended that sent no result", () =>
    Effect.gen(function*() {
      const { fake, pool } = yield* started()
      const stopping = yield* Effect.forkChild(Effect.exit(pool.stop(10_000)))
      yield* settle
      yield* lose(fake)
      const exit = yield* Fiber.join(stopping)
      assert.include(String(exit), "its process exited with code 9")
    }))

  it.effect("does not replace a host that dies meanwhile", () =>
    Effect.gen(function*() {
      const { fake, pool, timesOf } = yield* started({ restart: restart.fixed({ delay: 0 }) })
      yield* Effect.forkChild(Effect.exit(pool.stop(10_000)))
      yield* settle
      yield* lose(fake)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(fake.hosts.length, 1)
      assert.deepStrictEqual(timesOf("HostLost"), [])
    }))
})

describe("a pool of several hosts", () => {
  const calls = { answers: Schema.Array(Schema.Literals([0, 1, 2])) }
  it.effect.prop(
    "sends each call to one of those with the fewest in flight",
    calls,
    ({ answers }) =>
      Effect.gen(function*() {
        const { fake, pool } = yield* started({ replicas: 3 })
        const inFlight = () => pool.slots.map(({ replica }) => replica.calls.inFlight)
        for (const answered of answers) {
          const before = inFlight()
          yield* Effect.forkChild(Effect.exit(pool.call(double, { n: 1 })))
          yield* settle
          const after = inFlight()
          const chosen = after.findIndex((count, index) => count > (before[index] ?? 0))
          assert.strictEqual(before[chosen], Math.min(...before))
          if ((after[answered] ?? 0) > 0) fake.hosts[answered]?.answer(double, 2)
          yield* settle
        }
        // the end of the test waits for the calls, which no host answers
        for (const host of fake.hosts) host.exit()
      }).pipe(Effect.scoped)
  )
})
