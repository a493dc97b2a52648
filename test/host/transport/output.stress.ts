import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fileURLToPath } from "node:url"
import { Host } from "../../../src/index.ts"
import { assertClean } from "../../../src/testing.ts"
import { Started } from "../../support/cli.ts"
import { local, remotes, runJob } from "../../support/hosts.ts"
import { Frail } from "../services/frail.ts"

const program = fileURLToPath(new URL("../services/owner.main.ts", import.meta.url))
const big = 100 * 2 ** 20

describe.each(remotes)("a %s host", (host) => {
  it("that prints a lot loses none of its output, and its answers stay whole", async () => {
    const run = new Started([program, JSON.stringify({ host, does: "print" })])
    assert.strictEqual(await run.ended(), 0, run.stderr)
    const numbers = (text: string, start: string) =>
      text.split("\n").flatMap((line) => line.startsWith(start) ? [line] : [])
    const lines = (start: string, letter: string) =>
      Array.from({ length: 5_000 }, (_, line) => `${start} ${line} ${letter.repeat(200)}`)
    assert.deepStrictEqual(numbers(run.stdout, "out "), lines("out", "o"))
    assert.deepStrictEqual(numbers(run.stderr, "err "), lines("err", "e"))
    assert.include(run.stdout, "printed 5000\n")
    assert.match(run.stdout, /^report \{.*"clean":true/m)
  })

  it.live("answers with a hundred mebibytes", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* runJob(
        Effect.gen(function*() {
          const client = yield* Frail
          const [bytes, who] = yield* Effect.all([client.big({ bytes: big }), client.who()], {
            concurrency: "unbounded"
          })
          assert.notStrictEqual(who, "")
          assert.strictEqual(bytes.length, big)
          assert.strictEqual(bytes.findIndex((byte, place) => byte !== place % 251), -1)
        }),
        Host.layer(Frail, { host })
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertClean(report)
    }).pipe(local))

  it.live("is read to its end by an owner that is busy", () =>
    Effect.gen(function*() {
      const block = () => {
        const end = performance.now() + 30
        while (performance.now() < end);
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => setInterval(block, 5)),
        (busy) => Effect.sync(() => clearInterval(busy))
      )
      const layer = Host.layer(Frail, { host, heartbeat: "1 millis" })
      for (let round = 0; round < 4; round++) assertClean((yield* runJob(Effect.asVoid(Frail), layer)).report)
    }).pipe(local))
})
