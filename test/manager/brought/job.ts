// A job that its client brings along: with a module beside it, a file that it reads, and a service in a host.
import { Host, Job } from "autostop"
import { Effect, Layer, Schema } from "effect"
import { readFileSync } from "node:fs"
import { spawnSync } from "node:child_process"
import { Counter } from "./counter.ts"
import { shout } from "./words.ts"

const words = new URL("./words.txt", import.meta.url)

/** What came of it, or the code of its error. */
const attempt = (f: () => string) =>
  Effect.sync(() => {
    try {
      return f()
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : String(error)
    }
  })

const contract = Job.make("brought", {
  module: import.meta.url,
  payload: { name: Schema.String, read: Schema.optionalKey(Schema.String) },
  success: Schema.Struct({
    greeting: Schema.String,
    count: Schema.Int,
    read: Schema.optionalKey(Schema.String),
    spawned: Schema.String,
    secret: Schema.Boolean
  })
})

export default contract.implement({
  services: Layer.mergeAll(Host.layer(Counter, { host: "thread" })),
  run: Effect.fn(function*({ name, read }) {
    const count = yield* Effect.orDie(Counter.use((counter) => counter.next()))
    return {
      greeting: shout(`${readFileSync(words, "utf8").trim()} ${name}`),
      count,
      ...(read === undefined ? {} : { read: yield* attempt(() => readFileSync(read, "utf8")) }),
      spawned: yield* attempt(() => String(spawnSync("true").status)),
      secret: "SECRET_OF_THE_MANAGER" in process.env
    }
  })
})
