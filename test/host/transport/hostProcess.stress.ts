import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { Host } from "../../../src/index.ts"
import { Started } from "../../support/cli.ts"
import { eventOf, gone, isRunning, local, remotes, runJob, slackMs, until } from "../../support/hosts.ts"
import { serviceOf, submit } from "../../support/jobs.ts"
import { Frail, frail, HostJournal, type Plan } from "../services/frail.ts"
import type { Orders } from "../services/owner.main.ts"

const limitMs = 1_000
/** The limit, a second for the exit of the host, and the lateness of a loaded machine. */
const withinMs = limitMs + 1_000 + slackMs

const owner = (orders: Omit<Orders, "stopMs">) =>
  Effect.acquireRelease(
    Effect.sync(() => new Started([program, JSON.stringify({ ...orders, stopMs: limitMs })])),
    (owner) => Effect.sync(() => owner.signal("SIGKILL"))
  )
const program = fileURLToPath(new URL("../services/owner.main.ts", import.meta.url))

/** A journal of hosts and their children, none of which outlives the test. */
const journal = Effect.acquireRelease(
  Effect.sync(() => new HostJournal()),
  (journal) =>
    Effect.sync(() => {
      for (const pid of ["start", "child"].flatMap((what) => journal.pids(what))) {
        if (isRunning(pid) && pid !== process.pid) process.kill(pid, "SIGKILL")
      }
      journal[Symbol.dispose]()
    })
)

const processes = remotes.filter((host) => host !== "thread")

describe.each(processes)("a %s host whose owner was killed", (host) => {
  it.live("releases its services, and exits", () =>
    Effect.gen(function*() {
      const { file, pids } = yield* journal
      const run = yield* owner({ host, does: "wait", plan: { journal: file }, replicas: 2 })
      yield* Effect.promise(() => run.said("up"))
      const hosts = pids("start")
      assert.strictEqual(hosts.length, 2)
      assert.isTrue(hosts.every(isRunning))
      run.signal("SIGKILL")
      for (const pid of hosts) yield* gone(pid, withinMs)
      assert.deepStrictEqual(pids("released").toSorted(), hosts.toSorted())
    }))

  const cases: ReadonlyArray<[name: string, does: Orders["does"], plan: Plan]> = [
    ["while it is blocked", "spin", {}],
    ["while its release hangs", "wait", { release: "hangs" }],
    ["while its release blocks it", "wait", { release: "spins" }],
    ["and that ignores SIGTERM", "spin", { stubborn: true }]
  ]
  it.live.each(cases)("%s exits within its limit", ([, does, plan]) =>
    Effect.gen(function*() {
      const { file, pids } = yield* journal
      const run = yield* owner({ host, does, plan: { ...plan, journal: file } })
      yield* Effect.promise(() => run.said("up"))
      if (does === "spin") yield* until("it spins", () => pids("spin").length > 0)
      const [started = 0] = pids("start")
      assert.isTrue(isRunning(started))
      run.signal("SIGKILL")
      yield* gone(started, withinMs)
      assert.deepStrictEqual(pids("released"), [])
    }))

  for (const start of ["hangs", "spins"] as const) {
    it.live(`while its start ${start} exits within its limit`, () =>
      Effect.gen(function*() {
        const { file, pids } = yield* journal
        const run = yield* owner({ host, does: "wait", plan: { journal: file, start } })
        yield* until("it starts", () => pids("start").length > 0)
        run.signal("SIGKILL")
        yield* gone(pids("start")[0] ?? 0, withinMs)
      }))
  }

  for (const child of ["own", "orphan"] as const) {
    const kind = child === "own" ? "a process that it has started" : "an orphan of a process that it has started"
    for (const does of ["wait", "spin"] as const) {
      it.live(`kills ${kind}${does === "spin" ? ", even while it is blocked" : ""}`, () =>
        Effect.gen(function*() {
          const { file, pids } = yield* journal
          const run = yield* owner({ host, does, plan: { journal: file, child } })
          yield* Effect.promise(() => run.said("up"))
          if (does === "spin") yield* until("it spins", () => pids("spin").length > 0)
          const [grandchild = 0] = pids("child")
          assert.isTrue(isRunning(grandchild))
          run.signal("SIGKILL")
          yield* gone(pids("start")[0] ?? 0, withinMs)
          yield* gone(grandchild, withinMs)
        }))
    }
  }
})

describe.each(processes)("a process that a %s host has started", (host) => {
  for (const child of ["own", "orphan"] as const) {
    const kind = child === "own" ? "itself" : "by another process, which has ended,"

    it.live(`${kind} ends with the host, and is reported`, () =>
      Effect.gen(function*() {
        const { file, pids } = yield* journal
        const layer = Host.layer(frail({ journal: file, child }), { host })
        const { report } = yield* runJob(Effect.asVoid(Frail), layer)
        yield* gone(pids("child")[0] ?? 0, 2_000)
        assert.strictEqual(serviceOf(report, "test/Frail").outcome, "released")
        const [leftover] = report.leftovers
        assert.isFalse(report.clean)
        assert.strictEqual(leftover?.kind, "child-process")
        assert.match(leftover?.detail ?? "", /^test\/Frail: pid \d+ \(sleep 1000\)/)
      }).pipe(local))

    it.live(`${kind} ends with a host that is killed`, () =>
      Effect.gen(function*() {
        const { file, pids } = yield* journal
        const plan = { journal: file, child, release: "spins" } as const
        const layer = Host.layer(frail(plan), { host, stop: { timeout: limitMs } })
        const { report } = yield* runJob(Effect.asVoid(Frail), layer)
        assert.strictEqual(serviceOf(report, "test/Frail").outcome, "killed")
        assert.isFalse(isRunning(pids("child")[0] ?? 0))
      }).pipe(local))

    it.live(`${kind} ends with a host that is lost`, () =>
      Effect.gen(function*() {
        const { file, pids } = yield* journal
        const layer = Host.layer(frail({ journal: file, child }), { host })
        const job = yield* submit(
          Effect.flatMap(Frail, ({ end }) => Effect.andThen(Effect.exit(end()), Effect.never)),
          layer
        )
        yield* eventOf(job, "HostRestarting")
        assert.isFalse(isRunning(pids("child")[0] ?? 0))
        yield* job.stop()
        yield* job.result
      }).pipe(local))
  }
})

describe.each(remotes.filter((host) => host === "thread"))("a process that a %s host has started", (host) => {
  it.live("ends with the host, and is reported", () =>
    Effect.gen(function*() {
      const { file, pids } = yield* journal
      const layer = Host.layer(frail({ journal: file, child: "own" }), { host })
      const { report } = yield* runJob(Effect.asVoid(Frail), layer)
      yield* gone(pids("child")[0] ?? 0, 2_000)
      assert.isFalse(report.clean)
      assert.match(report.leftovers[0]?.detail ?? "", /^test\/Frail: pid \d+ \(sleep 1000\)/)
    }).pipe(local))

  it.live("ends with a host that is killed", () =>
    Effect.gen(function*() {
      const { file, pids } = yield* journal
      const plan = { journal: file, child: "own", release: "spins" } as const
      const layer = Host.layer(frail(plan), { host, stop: { timeout: limitMs } })
      const { report } = yield* runJob(Effect.asVoid(Frail), layer)
      assert.include(serviceOf(report, "test/Frail"), { outcome: "killed", running: false })
      yield* gone(pids("child")[0] ?? 0, 500)
    }).pipe(local))
})
