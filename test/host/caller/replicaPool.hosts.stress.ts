import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Host } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { eventOf, eventsOf, gone, local, remotes, runJob, until } from "../../support/hosts.ts"
import { serviceOf, submit } from "../../support/jobs.ts"
import { Frail, frail, HostJournal } from "../services/frail.ts"

describe.each(remotes)("a service in several hosts, each a %s,", (host) => {
  const layer = Host.layer(Frail, { host, replicas: 3, restart: Host.restart.fixed({ delay: "10 millis" }) })

  it.live("sends each call to the least busy host, and reports each host", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const busy = [yield* Effect.forkChild(client.slow({ ms: 60_000 }), { startImmediately: true })]
          yield* Effect.yieldNow
          const one = yield* client.who()
          busy.push(yield* Effect.forkChild(client.slow({ ms: 60_000 }), { startImmediately: true }))
          yield* Effect.yieldNow
          const idle = new Set<string>()
          for (let call = 0; call < 5; call++) idle.add(yield* client.who())
          assert.strictEqual(idle.size, 1, "a busy host was asked")
          assert.isFalse(idle.has(one))
          yield* Effect.forEach(busy, Fiber.interrupt)
          const all = yield* Effect.all(
            Array.from({ length: 9 }, () => Effect.forkChild(client.slow({ ms: 60_000 }), { startImmediately: true }))
          )
          yield* Effect.yieldNow
          yield* client.who()
          yield* Effect.forEach(all, Fiber.interrupt, { concurrency: "unbounded" })
        }),
        layer
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertClean(report)
      const lines = [1, 2, 3].map((replica) => serviceOf(report, `test/Frail[${replica}]`))
      assert.strictEqual(serviceOf(report, "test/Frail").used, 18)
      // the first of several that are equally busy gets the call
      assert.deepStrictEqual(lines.map(({ used }) => used), [1 + 3 + 1, 1 + 1 + 3, 5 + 3])
      if (host !== "thread") assert.strictEqual(new Set(lines.map(({ pid }) => pid)).size, 3)
      for (const replica of [1, 2, 3]) {
        assert.include(serviceOf(report, `test/Frail[${replica}]`), { host, outcome: "released", running: false })
        assert.include(serviceOf(report, `test/Frail[${replica}]/test/Pump`), { outcome: "released", running: false })
      }
    }).pipe(local))

  it.live("goes on with the other hosts if one dies, and replaces that one", () =>
    Effect.gen(function*() {
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          yield* Effect.exit(client.end())
          const left = new Set<string>()
          for (let call = 0; call < 10; call++) left.add(yield* client.who())
          assert.isAtMost(left.size, 2)
          return yield* Effect.never
        }),
        layer
      )
      const { replica } = yield* eventOf(job, "HostLost")
      const started = yield* eventOf(job, "HostStarted", 4)
      assert.strictEqual(started.replica, replica)
      yield* job.stop()
      const { report } = yield* job.result
      const name = `test/Frail[${replica}]/test/Pump`
      assert.deepStrictEqual(
        report.services.filter(({ outcome }) => outcome !== "released").map(({ name }) => name),
        [name],
        "what the host that died had started was not released"
      )
      assert.include(serviceOf(report, name), { outcome: "killed", running: false })
      assert.isFalse(report.clean)
      assert.strictEqual(serviceOf(report, `test/Frail[${replica}]`).restarts, 1)
      const events = yield* eventsOf(job)
      assert.strictEqual(events.filter((event) => event._tag === "HostLost").length, 1)
    }).pipe(local))

  it.live("sends calls to a replacement, too", () =>
    Effect.gen(function*() {
      const { exit } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          // one call for each host
          const three = Effect.map(
            Effect.all(
              Array.from({ length: 3 }, () => Effect.tap(client.who(), () => client.slow({ ms: 50 }))),
              { concurrency: "unbounded" }
            ),
            (hosts) => new Set(hosts)
          )
          const before = yield* three
          assert.strictEqual(before.size, 3)
          yield* Effect.exit(client.end())
          // the replacement takes its share as soon as it has started
          const after = yield* three.pipe(Effect.repeat({ until: (hosts) => hosts.size === 3 }))
          assert.strictEqual(new Set([...before, ...after]).size, 4)
        }),
        layer
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
    }).pipe(local))

  it.live("lets calls wait while none of them is up", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const first = yield* client.who()
          yield* Effect.exit(client.end())
          const waiting = yield* Effect.all(Array.from({ length: 5 }, () => client.who()), { concurrency: "unbounded" })
          assert.strictEqual(new Set(waiting).size, 1)
          assert.isFalse(waiting.includes(first))
        }),
        Host.layer(Frail, { host, restart: Host.restart.fixed({ delay: "300 millis" }) })
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.strictEqual(serviceOf(report, "test/Frail").used, 7)
    }).pipe(local))

  it.live("stops the others if one host is lost meanwhile", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const plan = { journal: journal.file, release: "once" } as const
      const job = yield* submit(Effect.asVoid(Frail), Host.layer(frail(plan), { host, replicas: 3 }))
      yield* until("all of them are being released", () => journal.pids("release").length === 3)
      const { report } = yield* job.result
      assert.strictEqual(journal.pids("released").length, 2)
      const outcomes = [1, 2, 3].map((replica) => serviceOf(report, `test/Frail[${replica}]`).outcome).toSorted()
      assert.deepStrictEqual(outcomes, ["release-failed", "released", "released"])
      assert.strictEqual(serviceOf(report, "test/Frail").outcome, "release-failed")
      if (host !== "thread") { for (const pid of journal.pids("release")) yield* gone(pid, 100) }
    }).pipe(local))

  it.live("kills only the hosts that do not stop", () =>
    Effect.gen(function*() {
      const job = yield* submit(
        Effect.gen(function*() {
          const client = yield* Frail
          yield* Effect.forkChild(client.spin(), { startImmediately: true })
          yield* Effect.yieldNow
        }),
        Host.layer(Frail, { host, replicas: 2, heartbeat: "100 millis", stop: { timeout: "1 second" } })
      )
      const { report } = yield* job.result
      assert.strictEqual(serviceOf(report, "test/Frail").outcome, "killed")
      assert.include(serviceOf(report, "test/Frail[1]"), { outcome: "killed", running: false, cleanupCompleted: false })
      assert.include(serviceOf(report, "test/Frail[2]"), {
        outcome: "released",
        running: false,
        cleanupCompleted: true
      })
      assert.isDefined(serviceOf(report, "test/Frail[1]").killMs)
      assert.isUndefined(serviceOf(report, "test/Frail[2]").killMs)
    }).pipe(local))
})
