// A job that does what its payload says; its two services say when they open and close.
import { Effect, Layer, Schema, Stream } from "effect"
import { spawn } from "node:child_process"
import { Job, Pipeline, Service } from "../../../src/index.ts"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const spin = (): never => {
  for (;;);
}

const service = (name: string) =>
  Service.manage(
    name,
    Layer.effectDiscard(
      Effect.acquireRelease(
        Effect.andThen(process.env["OPEN"] === "slow" ? Effect.sleep("1 second") : Effect.void, say(`opened ${name}`)),
        () => process.env["CLOSE"] === "hang" ? Effect.never : say(`closed ${name}`)
      )
    )
  )

/** Starts processes in the group of the job. */
const family = Effect.callback<void>((resume) => {
  const child = spawn("sh", ["-c", "sleep 1000 & echo $!; wait"], { stdio: ["ignore", "pipe", "inherit"] })
  child.stdout.once("data", (data: Buffer) => {
    process.stdout.write(`child ${child.pid}\ngrandchild ${data.toString().trim()}\n`)
    resume(Effect.void)
  })
})

export class Late extends Schema.TaggedError<Late>()("Late", { at: Schema.Date }) {}

export const Work = Job.make("work", {
  payload: {
    act: Schema.Literals(["add", "fail", "die", "wait", "block", "flow", "print", "env", "exit", "odd"]),
    at: Schema.Date.pipe(Schema.withDecodingDefaultKey(Effect.succeed(new Date(0)))),
    family: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false))),
    text: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("")))
  },
  success: Schema.Struct({ at: Schema.Date, text: Schema.String }),
  error: Late
})

export default Work.implement({
  services: Layer.mergeAll(service("db"), service("cache")),
  run: ({ act, at, family: hasFamily, text }) =>
    Effect.gen(function*() {
      yield* say(`job ${process.pid}`)
      if (hasFamily) yield* family
      yield* say("ready")
      switch (act) {
        case "fail":
          return yield* new Late({ at })
        case "die":
          return yield* Effect.die(new TypeError("it broke"))
        case "exit":
          return process.exit(7)
        case "wait":
          return yield* Effect.never
        case "block":
          return yield* Effect.sync(spin)
        case "env":
          return { at, text: JSON.stringify(process.env) }
        case "print":
          process.stdout.write("half")
          yield* Effect.sleep(200)
          process.stdout.write(` a line\n${"é".repeat(100_000)}\n`)
          process.stderr.write("an error\nwithout an end")
          return { at, text }
        case "flow":
          yield* Stream.tick("20 millis").pipe(Stream.take(60), Pipeline.source("ticks"), Stream.runDrain)
          return { at, text }
        case "odd":
          // safe: it is to be no date
          return { at: "never" as unknown as Date, text }
        case "add":
          return { at: new Date(at.getTime() + 1), text }
      }
    })
})

export const untold = Job.make("untold", { run: () => Effect.void })
export const contract = Job.make("contract")
