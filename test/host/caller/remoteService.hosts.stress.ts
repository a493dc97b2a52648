import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Host } from "../../../src/index.ts"
import { gone, local, type RemoteKind, remotes } from "../../support/hosts.ts"
import { submit } from "../../support/jobs.ts"
import { frail, HostJournal, type Plan } from "../services/frail.ts"

/** Provides a service within a run, and uses it once. */
const use = (host: RemoteKind, plan: Plan, options: Host.Options = {}) => {
  const service = frail(plan)
  return Effect.exit(Effect.provide(
    Effect.flatMap(service, (frail) => frail.who()),
    Host.layer(service, { host, ...options })
  ))
}

const hangs = { stop: { timeout: "500 millis" } } as const

describe.each(remotes)("a service that run provides in a %s", (host) => {
  const cases: ReadonlyArray<[what: string, plan: Plan, options: Host.Options, line: string]> = [
    ["that fails in its release", { release: "fails" }, {}, "test/Frail/test/Pump release-failed"],
    [
      "of whose replicas one fails in its release",
      { release: "fails" },
      { replicas: 2 },
      "test/Frail[1]/test/Pump release-failed"
    ],
    ["that hangs in its release", { release: "hangs" }, hangs, "test/Frail/test/Pump killed"]
  ]
  it.live.each(cases)(
    "%s keeps its lines in the report, even if the next one ends well",
    ([, plan, options, line]) =>
      Effect.gen(function*() {
        const run = Effect.andThen(use(host, plan, options), Effect.andThen(use(host, {}), use(host, {})))
        const { report } = yield* (yield* submit(run)).result
        const lines = report.services.map(({ name, outcome }) => `${name} ${outcome}`)
        assert.include(lines, line)
        assert.include(lines, "test/Frail released")
        assert.isFalse(report.clean)
      }).pipe(local)
  )

  it.live("besides one of the same name keeps its lines if it ends badly", () =>
    Effect.gen(function*() {
      const isUp = Deferred.makeUnsafe<void>()
      const isOver = Deferred.makeUnsafe<void>()
      const other = Effect.andThen(Deferred.succeed(isUp, undefined), Deferred.await(isOver))
      const ends = Effect.andThen(use(host, { release: "fails" }), Deferred.succeed(isOver, undefined))
      const run = Effect.all([
        Effect.provide(other, Host.layer(frail({}), { host })),
        Effect.andThen(Deferred.await(isUp), ends)
      ], { concurrency: 2 })
      const { report } = yield* (yield* submit(run)).result
      assert.include(
        report.services.map(({ name, outcome }) => `${name} ${outcome}`),
        "test/Frail#2/test/Pump release-failed"
      )
      assert.isFalse(report.clean)
    }).pipe(local))

  it.live("of whose replicas one was replaced keeps its lines, even if the next one ends well", () =>
    Effect.gen(function*() {
      const service = frail({})
      const ends = Effect.gen(function*() {
        const { end, who } = yield* service
        yield* Effect.exit(end())
        // the replacement takes its turn
        const hosts = new Set<string>()
        while (hosts.size < 2) hosts.add(yield* who())
      })
      const run = Effect.andThen(
        Effect.provide(ends, Host.layer(service, { host, replicas: 2 })),
        Effect.andThen(use(host, {}), use(host, {}))
      )
      const { report } = yield* (yield* submit(run)).result
      assert.isTrue(report.services.some(({ restarts }) => restarts === 1))
    }).pipe(local))

  it.live.each([["two at once", 2], ["one after the other", 1]] as const)(
    "six times, %s, has the lines of one",
    ([, concurrency]) =>
      Effect.gen(function*() {
        const run = Effect.forEach(Array.from({ length: 6 }), () => use(host, {}), { concurrency, discard: true })
        const { report } = yield* (yield* submit(run)).result
        assert.deepStrictEqual(report.services.map(({ name }) => name), ["test/Frail", "test/Frail/test/Pump"])
        assert.isTrue(report.clean)
      }).pipe(local)
  )
})

describe.each(remotes.filter((host) => host === "process"))("a service that run provides in a %s", (host) => {
  it.live("that leaves a process behind is reported, even if the next one ends well", () =>
    Effect.gen(function*() {
      const journal = yield* Effect.acquireRelease(Effect.sync(() => new HostJournal()), (journal) =>
        Effect.sync(() => journal[Symbol.dispose]()))
      const run = Effect.andThen(use(host, { child: "orphan", journal: journal.file }), use(host, {}))
      const { report } = yield* (yield* submit(run)).result
      assert.deepStrictEqual(
        report.leftovers.map(({ kind }) =>
          kind
        ),
        ["child-process"]
      )
      assert.isFalse(report.clean)
      for (const pid of journal.pids("child")) yield* gone(pid, 10_000)
    }).pipe(Effect.scoped, local))
})
