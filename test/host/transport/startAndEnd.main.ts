// Starts threads of hosts and ends each at a random moment. Its arguments: the number of rounds, and of threads at once.
import * as Effect from "effect/Effect"

/** What was built, as users run it. */
const built = new URL("../../../dist/host/transport/thread.js", import.meta.url).href
// safe: it was built of that file
const { openThread } = await import(built) as typeof import("../../../src/host/transport/thread.ts")

const [rounds = 0, atOnce = 1] = process.argv.slice(2).map(Number)

/** Somewhat later than a thread has loaded its modules. */
const latestMs = 300

/** A thread is killed once, or twice at the same time. */
const round = Effect.gen(function*() {
  const thread = openThread(() => {})
  yield* Effect.sleep(Math.random() * latestMs)
  const kills = Array.from({ length: 1 + Math.floor(Math.random() * 2) }, () => thread.kill(60_000))
  const killed = yield* Effect.all(kills, { concurrency: "unbounded" })
  if (!killed.every(({ gone }) => gone)) throw new Error("a thread is not gone")
})

await Effect.runPromise(
  Effect.forEach(Array.from({ length: rounds }), () => round, { concurrency: atOnce, discard: true })
)
process.stdout.write(`${rounds} rounds\n`)
