import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { signal as signalTo } from "../../src/process/processGroup.ts"
import { sameRequestMs } from "../../src/process/signalRequests.ts"
import { signalCode } from "../../src/process/signals.ts"
import { bin, fixture } from "../support/cli.ts"
import { Lateness } from "../support/lateness.ts"

/** How a program is started. Under a wrapper the whole group gets the signals, as from a terminal. */
export const ways = {
  "bare": [],
  "timeout": ["timeout", "--foreground", "100"],
  "sh -c": ["sh", "-c", "\"$0\" \"$@\"; exit $?"]
} as const
export type Way = keyof typeof ways

/** A signal, and how long after the one before it is sent. */
const Sent = Schema.Struct({
  signal: Schema.Literals(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]),
  gapMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600 }))
})

export const Sequence = Schema.Array(Sent).check(Schema.isMinLength(2), Schema.isMaxLength(3))
type Sequence = typeof Sequence.Type

/** A signal that comes so close to the end of a request may belong to it or not. */
const unsureMs = 100

/** Counts the requests as a person would; `undefined` if a signal is too close to the end of one. */
const requestsOf = (times: ReadonlyArray<number>): number | undefined => {
  let first = -Infinity
  let count = 0
  for (const time of times) {
    if (Math.abs(time - first - sameRequestMs) < unsureMs) return undefined
    if (time - first <= sameRequestMs) continue
    first = time
    count++
  }
  return count
}

/** Sends the signals to a job whose stop takes longer than that, and returns what became of it. */
const send = async (way: Way, sequence: Sequence) => {
  const settings = JSON.stringify({ act: "wait" })
  const words = [bin, "run", fixture("life.ts"), "--payload", settings, "--delay", "1500ms", "--format", "json"]
  const [command = "", ...args] = [...ways[way], process.execPath, ...words]
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LIFE: settings }
  })
  const { pid = assert.fail("it could not be started") } = child
  let said = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said += chunk)
  const closed = once(child, "close")
  while (!said.includes("RunStarted") || !said.includes("ready")) {
    await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), closed])
    if (child.exitCode !== null) assert.fail(said)
  }
  const lateness = new Lateness()
  const times: Array<number> = []
  for (const [i, { gapMs, signal }] of sequence.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, gapMs))
    times.push(performance.now())
    signalTo(way === "bare" ? pid : -pid, signal)
  }
  await closed
  lateness.stop()
  return { code: child.exitCode, said, requests: lateness.ms > unsureMs / 2 ? undefined : requestsOf(times) }
}

/** Sends signals, and checks that they are counted as a person would. */
export const assertCounted = (way: Way, sequence: Sequence): Effect.Effect<void> =>
  Effect.promise(async () => {
    const { code, requests, said } = await send(way, sequence)
    const text = JSON.stringify({ way, sequence, requests, code, said }, undefined, 1)
    assert.strictEqual(said.split("stopping within").length, 2, text)
    const codes = sequence.map(({ signal }) => signalCode(signal))
    if (way === "bare") assert.include([...codes, 3], code, text)
    if (requests !== undefined) {
      assert.strictEqual(said.includes("stopping at once"), requests > 1, text)
      if (requests === 1 && way === "bare") assert.include(codes, code, text)
    }
    assert.strictEqual(said.split("\nclosed ").length, said.split("\nopened ").length, text)
  })
