import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Host, Job } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { everywhere, gone, local, remotes, runJob } from "../../support/hosts.ts"
import { serviceOf } from "../../support/jobs.ts"
import { frail, HostJournal } from "../services/frail.ts"
import { Newer, Renamed, Wider } from "../services/other.host.ts"

/** Runs a job whose service cannot start, and returns its error. */
const refusal = (service: string, layer: Layer.Layer<never, unknown>) =>
  Effect.gen(function*() {
    const { exit, report } = yield* runJob(Effect.die("never reached"), layer)
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it started")
    assert.instanceOf(error, Job.ServiceError)
    assert.include(error, { service, phase: "start" })
    assert.include(serviceOf(report, service), { outcome: "start-failed", initialized: false, running: false })
    assert.include(report, { trigger: "failed", outcome: "failed" })
    assertClean(report)
    return { error, report }
  })

const missing = (version?: string) => frail({}, "./missing.host.ts", version)

describe.each(everywhere)("a service that cannot start, host %s,", (host) => {
  type Reason = [what: string, service: string, layer: Layer.Layer<never, unknown>, texts: ReadonlyArray<string>]
  const reasons: ReadonlyArray<Reason> = [
    ["has no module", "test/Frail", Host.layer(missing(), { host }), ["missing.host.ts could not be loaded: "]],
    [
      "has a module that throws",
      "test/Frail",
      Host.layer(frail({}, "./broken.host.ts"), { host }),
      ["broken.host.ts could not be loaded: no such setting"]
    ],
    [
      "has a module that serves something else",
      "test/Renamed",
      Host.layer(Renamed, { host }),
      ["other.host.ts does not serve \"test/Renamed\"; expected \"export default Host.serve(…)\""]
    ],
    [
      "has a module that serves another version",
      "test/Newer",
      Host.layer(Newer, { host }),
      ["the contract of \"test/Newer\" differs", "its caller has version 1.4.0", "serves version 2.0.0"]
    ],
    [
      "has a module that serves other Schemas",
      "test/Wider",
      Host.layer(Wider, { host }),
      ["the contract of \"test/Wider\" differs", "its caller has version 1 (", "serves version 1 ("]
    ]
  ]

  it.live.each(reasons)(
    "because it %s fails with that reason",
    ([, service, layer, texts]) =>
      Effect.gen(function*() {
        const { error } = yield* refusal(service, layer)
        assert.instanceOf(error.cause, Host.HostError)
        assert.include(error.cause, { service, reason: "start" })
        for (const text of texts) {
          assert.include(error.message, text)
          assert.include(error.cause.message, text)
        }
      }).pipe(local)
  )

  it.live("fails its layer outside of a job, too", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Host.layer(missing(), { host }))))
      assert.instanceOf(error, Host.HostError)
      assert.strictEqual(error.reason, "start")
      assert.include(error.message, "missing.host.ts could not be loaded")
    }))
})

describe.each(remotes)("a %s host that cannot start", (host) => {
  it.live("fails with the end of its stderr", () =>
    Effect.gen(function*() {
      const { error } = yield* refusal("test/Frail", Host.layer(frail({}, "./broken.host.ts"), { host }))
      assert.match(error.message, /no such setting; its stderr ends with:\n[^]*the disk is full$/)
    }).pipe(local))

  it.live("because a service within it cannot fails with the name of that service", () =>
    Effect.gen(function*() {
      const layer = Host.layer(frail({ start: "fails" }), { host })
      const { error, report } = yield* refusal("test/Frail", layer)
      assert.include(error.message, "service \"test/Pump\" could not start: the start is stuck")
      const inner = serviceOf(report, "test/Frail/test/Pump")
      assert.include(inner, { host, outcome: "start-failed", error: "the start is stuck", running: false })
    }).pipe(local))

  it.live("takes the other replicas down with it", () =>
    Effect.gen(function*() {
      using journal = new HostJournal()
      const layer = Host.layer(frail({ journal: journal.file, start: "second" }), { host, replicas: 2 })
      const { error } = yield* refusal("test/Frail", layer)
      assert.include(error.message, "the start is stuck")
      assert.strictEqual(journal.pids("start").length, 2)
      if (host !== "thread") { for (const pid of journal.pids("start")) yield* gone(pid, 2_000) }
    }).pipe(local))

  it.live("is released, and the service within it whose release fails is reported", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* runJob(Effect.void, Host.layer(frail({ release: "fails" }), { host }))
      assert.isTrue(Exit.isSuccess(exit))
      assert.isFalse(report.clean)
      const inner = serviceOf(report, "test/Frail/test/Pump")
      assert.include(inner, { host, outcome: "release-failed", error: "the release is stuck", cleanupCompleted: false })
      assert.include(serviceOf(report, "test/Frail"), { outcome: "released" })
    }).pipe(local))
})
