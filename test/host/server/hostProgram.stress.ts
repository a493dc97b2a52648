import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Host, Job } from "../../../src/index.ts"
import { gone, local, remotes, runJob, shortStartMs } from "../../support/hosts.ts"
import { serviceOf } from "../../support/jobs.ts"
import { frail, HostJournal } from "../services/frail.ts"

describe.each(remotes)("a %s host that cannot start", (host) => {
  it.live("because its start hangs or blocks it fails at its limit, and is gone", () =>
    Effect.forEach(["hangs", "spins"] as const, (start) =>
      Effect.gen(function*() {
        using journal = new HostJournal()
        const plan = { journal: journal.file, start, says: "opening the valve" }
        const since = performance.now()
        const { exit, report } = yield* runJob(
          Effect.void,
          Host.layer(frail(plan), { host, start: { timeout: shortStartMs } })
        )
        assert.isBelow(performance.now() - since, shortStartMs + 20_000)
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it started")
        assert.instanceOf(error, Job.ServiceError)
        assert.include(error, { service: "test/Frail", phase: "start" })
        assert.match(error.message, /it was not ready within \d+ ms; its stderr ends with:\n[^]*opening the valve$/)
        assert.include(serviceOf(report, "test/Frail"), { outcome: "start-failed", running: false })
        assert.deepStrictEqual(report.leftovers, [])
        const [pid = 0] = journal.pids("start")
        if (host !== "thread") yield* gone(pid, 2_000)
      }), { concurrency: 2, discard: true }).pipe(local))
})
