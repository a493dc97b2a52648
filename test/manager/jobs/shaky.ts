// A job that fails, leaks, or is slow, as its payload says; it keeps count of its attempts in a file.
import { Job } from "autostop"
import { Console, Effect, Schema } from "effect"
import { appendFileSync, readFileSync } from "node:fs"

const held: Array<Uint8Array> = []

/** Takes 16 MiB more, every 20 ms. */
const leak = Effect.forever(Effect.andThen(
  Effect.sync(() => void held.push(new Uint8Array(16 * 1024 * 1024).fill(1))),
  Effect.sleep("20 millis")
))

export default Job.make("shaky", {
  payload: {
    file: Schema.String,
    /** The attempt that does not fail. */
    succeedsAt: Schema.optionalKey(Schema.Int),
    act: Schema.optionalKey(Schema.Literals(["wait", "leak", "block"]))
  },
  success: Schema.Int,
  error: Schema.String,
  stopPolicy: { deadline: "2 seconds", drainTimeout: "1 second", cancelTimeout: "1 second" },
  run: Effect.fn(function*({ act, file, succeedsAt }) {
    appendFileSync(file, "x")
    const attempt = readFileSync(file, "utf8").length
    yield* Console.log(`attempt ${attempt} in ${process.pid}`)
    if (attempt === succeedsAt) return attempt
    if (act === "wait") return yield* Effect.never
    if (act === "leak") return yield* leak
    if (act === "block") { for (;;); }
    return yield* Effect.fail(`attempt ${attempt} failed`)
  })
})
