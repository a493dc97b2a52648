import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema, Stream } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { errorText } from "../../src/base/errorText.ts"
import { maxText } from "../../src/base/valueText.ts"
import { Host, StopReport } from "../../src/index.ts"
import { temporaryFolder } from "../support/folder.ts"
import { fewHostiles, hostileNames, hostiles } from "../support/hostile.ts"
import { everywhere, local, runJob } from "../support/hosts.ts"
import { serviceOf } from "../support/jobs.ts"
import { Odd } from "./services/odd.ts"

/** Checks that a report is its own JSON. */
const assertSendable = (report: StopReport): void =>
  assert.deepStrictEqual(Schema.decodeUnknownSync(StopReport)(JSON.parse(JSON.stringify(report))), report)

// what becomes of each call is the same wherever the service lives, but what is sent nowhere needs to fit no Schema
describe.each(everywhere)("a service with values of all kinds, host %s", (host) => {
  it.live("answers each call with its end, and goes on", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* runJob(
        Effect.gen(function*() {
          const odd = yield* Odd
          for (const kind of hostileNames) {
            const calls: Readonly<Record<string, Effect.Effect<void, unknown>>> = {
              fail: odd.fail({ kind }),
              die: odd.die({ kind }),
              throw: odd.throw({ kind }),
              stream: Stream.runDrain(odd.stream({ kind })),
              // safe: what a program without types does
              take: odd.take(hostiles[kind].make() as { readonly at: { readonly place: number } })
            }
            for (const [name, call] of Object.entries(calls)) {
              const ended = yield* Effect.exit(call)
              assert.isTrue(Exit.isFailure(ended), `${name} ${kind}`)
              if (Exit.isSuccess(ended)) continue
              const text = errorText(ended.cause)
              assert.isAtMost(text.length, 2 * maxText, `${name} ${kind}`)
              if (name === "die" || name === "throw") assert.match(text, hostiles[kind].says, `${name} ${kind}`)
            }
            const returned = yield* Effect.exit(odd.succeed({ kind }))
            assert.isTrue(Exit.isFailure(returned) || host === "local", kind)
            assert.strictEqual(yield* odd.answer(), 42)
          }
        }),
        Host.layer(Odd, { host })
      )
      if (Exit.isFailure(exit)) assert.fail(errorText(exit.cause).slice(0, 4_000))
      assert.isTrue(report.clean)
      assertSendable(report)
    }).pipe(Effect.scoped, local))

  it.live("that dies of one fails the job, says what it was, and is released", () =>
    Effect.gen(function*() {
      for (const kind of fewHostiles.slice(0, 2)) {
        const { exit, report } = yield* runJob(
          Odd.use((odd) => odd.break({ kind })),
          Host.layer(Odd, { host })
        )
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isFailure(exit)) assert.match(errorText(exit.cause), hostiles[kind].says)
        assert.strictEqual(report.outcome, "failed")
        assert.notStrictEqual(serviceOf(report, "test/Odd").running, true)
        assertSendable(report)
      }
    }).pipe(Effect.scoped, local))
})

// a thread that crashes ends at once
describe.each(everywhere.filter((host) => host === "process"))("a host, %s", (host) => {
  it.live("that crashes with one releases its services, and the job goes on with another", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      for (const [place, kind] of fewHostiles.slice(0, 2).entries()) {
        const journal = process.env["ODD_JOURNAL"] = join(folder, `${place}`)
        const { exit, report } = yield* runJob(
          Effect.gen(function*() {
            const odd = yield* Odd
            const crashed = yield* Effect.exit(odd.crash({ kind }))
            assert.isTrue(Exit.isFailure(crashed) && Cause.hasFails(crashed.cause))
            assert.strictEqual(readFileSync(journal, "utf8"), "released\n")
            return yield* Effect.retry(odd.answer(), { times: 5 })
          }),
          Host.layer(Odd, { host, restart: Host.restart.fixed({ delay: "1 millis" }) })
        )
        delete process.env["ODD_JOURNAL"]
        assert.deepStrictEqual(exit, Exit.succeed(42))
        assertSendable(report)
      }
    }).pipe(Effect.scoped, local))
})
