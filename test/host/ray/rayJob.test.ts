import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"
import type { JobDetails, RayApi } from "../../../src/host/ray/rayApi.ts"
import { RayError } from "../../../src/host/ray/rayError.ts"
import { RayJob } from "../../../src/host/ray/rayJob.ts"
import { raySettingsOf } from "../../support/raySettings.ts"

const settings = raySettingsOf("http://127.0.0.1:9")

/** A cluster that runs no drivers, and the requests that it was sent. */
class FakeCluster {
  readonly requests: Array<string> = []
  readonly uploading = new OneShotLatch()
  readonly submitting = new OneShotLatch()
  status: JobDetails["status"] = "RUNNING"
  knows = true

  readonly #answers = {
    upload: () => Effect.as(this.uploading.await, "gcs://a.zip"),
    submit: () => this.#note("submit", this.submitting.await),
    logs: () => this.#note("logs", Effect.succeed("")),
    job: () => this.#note("job", Effect.sync((): JobDetails => ({ status: this.status, message: "it has no memory" }))),
    hasJob: () => this.#note("hasJob", Effect.sync(() => this.knows)),
    stop: () => this.#note("stop", Effect.void),
    delete: () => this.#note("delete", Effect.void)
  }
  // safe: a job asks for no more than that while it has no driver
  readonly api = this.#answers as unknown as RayApi

  #note<A>(name: string, answer: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.suspend(() => {
      this.requests.push(name)
      return answer
    })
  }

  count(name: string): number {
    return this.requests.filter((request) => request === name).length
  }
}

/** A job that was submitted to such a cluster. */
const submitted = Effect.gen(function*() {
  const cluster = new FakeCluster()
  const fork = Effect.runForkWith(Context.make(Clock.Clock, yield* Clock.Clock))
  const job = new RayJob({ api: cluster.api, settings, service: "test/Lean", limitMs: 1_000 }, fork)
  const start = Effect.sync(() => {
    cluster.uploading.open()
    cluster.submitting.open()
  })
  return { cluster, job, start }
})

const ending = (job: RayJob, limitMs: number) => Effect.forkChild(job.end(limitMs), { startImmediately: true })

describe("a Ray job", () => {
  it.effect("is looked at every 100 ms until its driver answers, and is lost if it ends before", () =>
    Effect.gen(function*() {
      const { cluster, job, start } = yield* submitted
      const creating = yield* Effect.forkChild(Effect.flip(job.create("replica-1", () => {})), {
        startImmediately: true
      })
      yield* start
      yield* TestClock.adjust(350)
      assert.strictEqual(cluster.count("job"), 4)
      assert.isFalse(job.isReplaced)
      cluster.status = "FAILED"
      yield* TestClock.adjust(50)
      const { message } = yield* Fiber.join(creating)
      assert.include(message, `the Ray job ${job.id} is FAILED: it has no memory`)
      assert.isTrue(job.lost.isOpen)
      assert.isTrue(job.isReplaced)
    }))

  it.effect("that ends before it was submitted is not submitted, and creates no actors", () =>
    Effect.gen(function*() {
      const { cluster, job, start } = yield* submitted
      const creating = yield* Effect.forkChild(Effect.flip(job.create("replica-1", () => {})), {
        startImmediately: true
      })
      assert.deepStrictEqual(yield* job.end(1_000), [])
      yield* start
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual(cluster.requests, [])
      assert.strictEqual((yield* Fiber.join(creating)).message, "it was stopped while it started")
    }))

  it.effect("that ends while it is submitted is stopped once the cluster has answered", () =>
    Effect.gen(function*() {
      const { cluster, job } = yield* submitted
      cluster.uploading.open()
      yield* Effect.yieldNow
      const end = yield* ending(job, 10_000)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(cluster.requests, ["submit"])
      cluster.status = "STOPPED"
      cluster.submitting.open()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(cluster.requests.slice(0, 5), ["submit", "hasJob", "stop", "job", "delete"])
      cluster.knows = false
      yield* TestClock.adjust(9_000)
      assert.deepStrictEqual(yield* Fiber.join(end), [])
    }))

  it.effect("is asked for every 50 ms until it has ended, and looked after for 3.5 s once it was deleted", () =>
    Effect.gen(function*() {
      const { cluster, job, start } = yield* submitted
      yield* start
      yield* TestClock.adjust(10)
      const end = yield* ending(job, 60_000)
      yield* TestClock.adjust(210)
      const before = cluster.count("job")
      assert.isAtLeast(before, 5)
      cluster.status = "STOPPED"
      cluster.knows = false
      yield* TestClock.adjust(40)
      assert.strictEqual(cluster.count("job"), before + 1)
      assert.strictEqual(cluster.count("delete"), 1)
      yield* TestClock.adjust(3_499)
      assert.isUndefined(end.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(end), [])
      assert.strictEqual(cluster.count("delete"), 1)
    }))

  it.effect("is deleted again if Ray brings it back", () =>
    Effect.gen(function*() {
      const { cluster, job, start } = yield* submitted
      yield* start
      cluster.status = "STOPPED"
      const end = yield* ending(job, 60_000)
      yield* TestClock.adjust(99)
      assert.strictEqual(cluster.count("delete"), 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(end), [])
      assert.strictEqual(cluster.count("delete"), 2)
    }))

  it.effect("is reported if it was not seen to end within its limit", () =>
    Effect.gen(function*() {
      const { job, start } = yield* submitted
      yield* start
      const end = yield* ending(job, 2_000)
      yield* TestClock.adjust(1_999)
      assert.isUndefined(end.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(end), [
        `the Ray job ${job.id} was not seen to end: there was no time left`
      ])
    }))

  it.effect("is not reported if the cluster has refused it", () =>
    Effect.gen(function*() {
      const { cluster, job } = yield* submitted
      cluster.api.submit = () => Effect.fail(RayError.of("it is full"))
      cluster.uploading.open()
      cluster.knows = false
      yield* job.lost.await
      assert.strictEqual((yield* Effect.flip(job.create("replica-1", () => {}))).message, "it is full")
      assert.deepStrictEqual(yield* job.end(1_000), [])
    }))
})
