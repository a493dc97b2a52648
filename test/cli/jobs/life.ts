// A job whose two services say when they open and close, and which does what its payload tells it to.
import { Job, Pipeline, Service } from "autostop"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { Worker } from "node:worker_threads"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const Payload = Schema.Struct({
  act: Schema.Literals([
    "end",
    "fail",
    "die",
    "wait",
    "drain",
    "throw",
    "reject",
    "exit",
    "timer",
    "busy",
    "worker",
    "server",
    "child",
    "print",
    "spin"
  ]),
  /** How the services start and stop. */
  open: Schema.Literals(["well", "slow", "hang", "fail"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("well"))),
  close: Schema.Literals(["well", "slow", "hang", "fail", "die", "exit"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("well"))
  )
})

class Settings extends Context.Service<Settings, typeof Payload.Type>()("test/Settings") {}

// the services read the environment, because they start before the payload is there
const settings = Layer.sync(
  Settings,
  () => Schema.decodeUnknownSync(Payload)({ act: "end", ...JSON.parse(process.env["LIFE"] ?? "{}") })
)

const service = (name: string) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const { close, open } = yield* Settings
    yield* Effect.acquireRelease(
      Effect.gen(function*() {
        yield* say(`opening ${name}`)
        if (open === "slow") yield* Effect.sleep("300 millis")
        if (open === "hang" && name === "outer") return yield* Effect.never
        if (open === "fail" && name === "outer") return yield* Effect.fail("no connection")
        yield* say(`opened ${name}`)
      }),
      () =>
        Effect.gen(function*() {
          if (close === "slow") yield* Effect.sleep("300 millis")
          if (close === "exit" && name === "outer") process.exit(0)
          if (close === "hang" && name === "outer") return yield* Effect.never
          if (close === "fail" || close === "die") return yield* Effect.die(new Error("close broke"))
          yield* say(`closed ${name}`)
        })
    )
  }))

const inner = Service.manage("inner", service("inner")).pipe(Layer.provide(settings))
const outer = Service.manage("outer", service("outer")).pipe(Layer.provide([settings, inner]))

export default Job.make("life", {
  payload: Payload,
  error: Schema.String,
  services: Layer.mergeAll(inner, outer),
  run: ({ act }) =>
    Effect.gen(function*() {
      yield* say("ready")
      switch (act) {
        case "end":
          return
        case "fail":
          return yield* Effect.fail("it failed")
        case "die":
          return yield* Effect.die(new Error("it died"))
        case "wait":
          return yield* Effect.never
        case "drain": {
          let delivered = 0
          return yield* Stream.tick("1 millis").pipe(
            Pipeline.source("ticks"),
            Pipeline.mapParallel(() => Effect.sleep("5 millis"), { concurrency: 4 }),
            Pipeline.stage("mapped"),
            Stream.runForEach(() => Effect.sync(() => void delivered++)),
            Effect.ensuring(Effect.suspend(() => say(`delivered ${delivered}`)))
          )
        }
        case "throw":
          setTimeout(() => {
            throw new Error("out of nowhere")
          })
          return yield* Effect.never
        case "reject":
          void Promise.reject(new Error("nobody caught this"))
          return yield* Effect.never
        case "exit":
          return process.exit(7)
        case "timer":
          setInterval(() => {}, 1_000)
          return
        case "busy":
          setInterval(() => {
            const end = performance.now() + 20
            while (performance.now() < end);
          })
          return
        case "worker":
          return void new Worker("setInterval(() => {}, 1000)", { eval: true })
        case "server":
          return yield* Effect.callback<void>((resume) => {
            createServer().listen(0, "127.0.0.1", () => resume(Effect.void))
          })
        case "child": {
          const child = spawn("sleep", ["1000"], { stdio: "ignore" })
          return yield* say(`child ${child.pid}`)
        }
        case "print":
          process.stdout.write(`${"x".repeat(8 * 1024 * 1024)}\n`)
          return
        case "spin":
          return yield* Effect.forever(Effect.yieldNow)
      }
    })
})
