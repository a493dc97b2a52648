import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Environment, Job, LocalEnvironment, Service, StopReport, type SubmitOptions } from "../src/index.ts"
import * as Testing from "../src/testing.ts"
import {
  assertClean,
  type Behaviour,
  Journal,
  needsOf,
  probe,
  probeName,
  probes,
  ServicePlans,
  stopsClean
} from "../src/testing.ts"
import { settle } from "./support/jobs.ts"

/** Runs a job that has these services to its end, while the clock moves on. */
const run = (services: Layer.Layer<never>, options: SubmitOptions = {}, work: Effect.Effect<unknown> = Effect.void) =>
  Effect.gen(function*() {
    const job = Job.make("probed", { services, run: () => work })
    const submitted = yield* Environment.submit(job, {}, options)
    for (let hour = 0; hour < 5; hour++) {
      yield* settle
      if ((yield* submitted.status) === "stopped") return yield* submitted.result
      yield* TestClock.adjust("1 hour")
    }
    return assert.fail("it hangs")
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))

const trace = (journal: Journal) => journal.entries.map(({ at, service, what }) => `${at} ${service} ${what}`)

const linesOf = (report: StopReport) =>
  report.services.map(({ error, name, outcome, running }) =>
    [name, outcome, ...running ? ["running"] : [], ...error === undefined ? [] : [error]].join(" ")
  )

const ends = (ends: Behaviour["ends"], ms = 0): Behaviour => ({ ends, ms })

describe("a probe", () => {
  it.effect("notes when it is acquired and released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db", { acquire: ends("well", 30), release: ends("well", 20) })
      const { exit, report } = yield* run(db, {}, Effect.sleep(100))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(trace(journal), [
        "0 db acquiring",
        "30 db acquired",
        "130 db releasing",
        "150 db released"
      ])
      assertClean(report)
      assert.deepStrictEqual(report.services, [{
        name: "db",
        host: "local",
        managed: true,
        initialized: true,
        cleanupCalled: true,
        cleanupCompleted: true,
        running: false,
        outcome: "released",
        startMs: 30,
        releaseMs: 20,
        dependsOn: []
      }])
    }))

  it.effect("is acquired after what it needs, and released before", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const disk = probe(journal, "disk")
      const pool = probe(journal, "pool", { needs: [disk] })
      const cache = probe(journal, "cache", { needs: [disk] })
      const api = probe(journal, "api", { needs: [pool, cache] })
      const { report } = yield* run(api)
      const place = (service: string, what: Testing.Entry["what"]) => journal.indexOf(service, what)
      for (
        const [dependent, need] of [["api", "pool"], ["api", "cache"], ["pool", "disk"], ["cache", "disk"]] as const
      ) {
        assert.isBelow(place(need, "acquired"), place(dependent, "acquiring"))
        assert.isBelow(place(dependent, "released"), place(need, "releasing"))
        assert.include(report.services.find(({ name }) => name === dependent)?.dependsOn ?? [], need)
      }
      assert.strictEqual(journal.entries.length, 4 * 4, "each is built once")
      assertClean(report)
    }))

  for (const [how, what] of [["fail", "failed"], ["die", "died"]] as const) {
    it.effect(`whose acquire is to ${how} makes its job fail, and what had started is released`, () =>
      Effect.gen(function*() {
        const journal = new Journal()
        const db = probe(journal, "db")
        const api = probe(journal, "api", { needs: [db], acquire: ends(how, 10) })
        const { exit, report } = yield* run(api)
        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(trace(journal), [
          "0 db acquiring",
          "0 db acquired",
          "0 api acquiring",
          `10 api ${what}`,
          "10 db releasing",
          "10 db released"
        ])
        assert.deepStrictEqual(linesOf(report), [
          "db released",
          `api start-failed api ${how === "fail" ? "fails" : "dies"}`
        ])
      }))

    it.effect(`whose release is to ${how} keeps no other from being released, and is named`, () =>
      Effect.gen(function*() {
        const journal = new Journal()
        const layers = ["one", "two", "three"].map((name) =>
          probe(journal, name, name === "two" ? { release: ends(how, 10) } : { release: ends("well", 5) })
        )
        const [first = Layer.empty, ...rest] = layers
        const { exit, report } = yield* run(Layer.mergeAll(first, ...rest))
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(linesOf(report).toSorted(), [
          "one released",
          "three released",
          `two release-failed two ${how === "fail" ? "fails" : "dies"}`
        ])
        assert.isTrue(journal.has("two", what))
        assert.isFalse(journal.has("two", "released"))
        for (const name of ["one", "three"]) assert.isTrue(journal.has(name, "released"))
        assert.isFalse(report.clean)
        assert.throws(() => assertClean(report), /two is release-failed: two (fails|dies)/)
      }))
  }

  it.effect("whose release never ends is abandoned after its own limit", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const api = probe(journal, "api", { release: ends("never"), stop: { timeout: "2 seconds" } })
      const { report } = yield* run(Layer.merge(api, probe(journal, "db")))
      assert.strictEqual(Date.parse(report.stoppedAt), 2_000)
      assert.deepStrictEqual(linesOf(report).toSorted(), ["api abandoned running", "db released"])
      assert.throws(() => assertClean(report), /service api is abandoned/)
    }))

  it.effect("whose acquire never ends is given up after its own limit", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const api = probe(journal, "api", { acquire: ends("never"), start: { timeout: "3 seconds" } })
      const { exit, report } = yield* run(api)
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(trace(journal), ["0 api acquiring"])
      assert.strictEqual(report.services[0]?.outcome, "start-failed")
      assert.strictEqual(report.outcome, "failed")
    }))

  it.effect("is a plain layer outside of a job", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const db = probe(journal, "db")
      yield* Effect.scoped(Layer.build(probe(journal, "api", { needs: [db] })))
      assert.deepStrictEqual(trace(journal), [
        "0 db acquiring",
        "0 db acquired",
        "0 api acquiring",
        "0 api acquired",
        "0 api releasing",
        "0 api released",
        "0 db releasing",
        "0 db released"
      ])
    }))

  it.effect("stands beside services of one's own", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const own = Service.manage("own", Layer.effectDiscard(Effect.acquireRelease(Effect.void, () => Effect.sleep(7))))
      const { report } = yield* run(Layer.merge(own, probe(journal, "db")))
      assert.deepStrictEqual(linesOf(report).toSorted(), ["db released", "own released"])
    }))
})

describe("a journal", () => {
  it("finds the first entry of a kind", () => {
    const journal = new Journal()
    for (
      const [service, what] of [["a", "acquiring"], ["b", "acquiring"], ["a", "acquiring"], ["a", "died"]] as const
    ) {
      journal.entries.push({ service, what, at: 0 })
    }
    assert.strictEqual(journal.indexOf("a", "acquiring"), 0)
    assert.strictEqual(journal.indexOf("b", "acquiring"), 1)
    assert.strictEqual(journal.indexOf("a", "died"), 3)
    assert.strictEqual(journal.indexOf("b", "died"), -1)
    assert.isTrue(journal.has("a", "died"))
    assert.isFalse(journal.has("c", "acquiring"))
  })
})

describe("assertClean", () => {
  it.effect("accepts a clean report", () =>
    Effect.gen(function*() {
      const { report } = yield* run(probe(new Journal(), "db"))
      assert.isTrue(report.clean)
      assertClean(report)
      const empty = yield* run(Layer.empty)
      assertClean(empty.report)
    }))

  it.effect("names the job, every service that is not released, and everything left over", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const broken = probe(journal, "broken", { release: ends("die") })
      const hung = probe(journal, "hung", { release: ends("never") })
      const ended = yield* run(Layer.mergeAll(probe(journal, "good"), broken, hung))
      const leftovers = [{ kind: "child-process", detail: "sleep 100" }, { kind: "handle", detail: "Timeout" }]
      const report = new StopReport({ ...ended.report, leftovers })
      const error = ((): unknown => {
        try {
          return assertClean(report)
        } catch (error) {
          return error
        }
      })()
      if (!(error instanceof Error)) return assert.fail("it said nothing")
      const [title, ...lines] = error.message.split("\n")
      assert.include(title, "probed")
      assert.deepStrictEqual(lines.map((line) => line.trim()).toSorted(), [
        "child-process: sleep 100",
        "handle: Timeout",
        "service broken is release-failed: broken dies",
        "service hung is abandoned"
      ])
    }))
})

describe("generated graphs and commands", () => {
  it.prop("are within their bounds", { plans: ServicePlans, command: Testing.Command }, ({ command, plans }) => {
    assert.isAtMost(plans.length, 12)
    for (const plan of plans) {
      assert.isAtMost(plan.needs.length, 3)
      for (const { ends, ms } of [plan.acquire, plan.release]) {
        assert.include(["well", "fail", "die", "never"], ends)
        assert.isTrue(ms >= 0 && ms <= 3_000)
      }
      assert.isAbove(plan.limit ?? 1, 0)
    }
    assert.deepStrictEqual(Schema.decodeUnknownSync(Testing.Command)(JSON.parse(JSON.stringify(command))), command)
  })

  it.prop("have services that need earlier ones only, each once", { plans: ServicePlans }, ({ plans }) => {
    plans.forEach((plan, place) => {
      const needs = needsOf(plan, place)
      assert.strictEqual(new Set(needs).size, needs.length)
      for (const need of needs) assert.isTrue(need >= 0 && need < place)
      assert.strictEqual(needs.length > 0, place > 0 && plan.needs.length > 0)
    })
  })

  it.prop("give each service a name of its own", { plans: ServicePlans }, ({ plans }) => {
    assert.strictEqual(new Set(plans.map((_, place) => probeName(place))).size, plans.length)
  })

  it.effect.prop(
    "build each service once, though several need it, and release it once, dependents first",
    { plans: ServicePlans },
    ({ plans: generated }) =>
      Effect.gen(function*() {
        const plans = generated.map((plan) => ({ ...plan, acquire: ends("well"), release: ends("well") }))
        const journal = new Journal()
        const { report } = yield* run(probes(journal, plans))
        assertClean(report)
        assert.strictEqual(journal.entries.length, plans.length * 4)
        plans.forEach((plan, place) => {
          const name = probeName(place)
          for (const need of needsOf(plan, place).map(probeName)) {
            assert.isBelow(journal.indexOf(need, "acquired"), journal.indexOf(name, "acquiring"))
            assert.isBelow(journal.indexOf(name, "released"), journal.indexOf(need, "releasing"))
          }
        })
      })
  )

  it.effect("make a job without services if there are none", () =>
    Effect.gen(function*() {
      const { report } = yield* run(probes(new Journal(), []), {}, Stream.runDrain(Stream.make(1)))
      assert.deepStrictEqual(report.services, [])
      assertClean(report)
    }))
})

class Needed extends Context.Service<Needed, number>()("app/Needed") {}

describe("stopsClean", () => {
  class Db extends Context.Service<Db, number>()("app/Db") {}
  const db = (release: Effect.Effect<void>) => Layer.effect(Db, Effect.acquireRelease(Effect.succeed(3), () => release))

  it.effect("provides what its layer provides, and says nothing if that stops clean", () =>
    Effect.gen(function*() {
      let released = 0
      const layer = stopsClean(db(Effect.sync(() => void released++)))
      assert.strictEqual(yield* Effect.provide(Effect.flatMap(Db, Effect.succeed), layer), 3)
      assert.strictEqual(released, 1)
    }))

  for (
    const [what, release, outcome] of [
      ["hangs", Effect.never, "abandoned"],
      ["dies", Effect.die(new Error("broke")), "release-failed: broke"]
    ] as const
  ) {
    it.effect(`fails a test whose layer ${what}, with its name, in real time`, () =>
      Effect.gen(function*() {
        const beneath = Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => void released++)))
        let released = 0
        const layer = stopsClean(Layer.provide(db(release), beneath), { releaseTimeout: "50ms" })
        const exit = yield* Effect.exit(Effect.provide(Db, layer))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), `service app/Db is ${outcome}`)
        assert.strictEqual(released, 1)
      }))
  }

  it.effect("fails as its layer fails, and passes on what that needs", () =>
    Effect.gen(function*() {
      const needy = Layer.effect(Db, Effect.flatMap(Needed, (n) => n > 1 ? Effect.succeed(n) : Effect.fail("too few")))
      const use = (n: number) => Db.pipe(Effect.provide(stopsClean(needy)), Effect.provideService(Needed, n))
      assert.strictEqual(yield* use(2), 2)
      assert.strictEqual(yield* Effect.flip(use(1)), "too few")
    }))
})
