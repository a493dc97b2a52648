// A job that starts a child and a grandchild, says who they are, and then waits or blocks its event loop.
import { Job, Service } from "autostop"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const spin = (): never => {
  for (;;);
}
const block = Effect.sync(spin)

/** Starts processes in the group of the job, that hold its output as long as they live. */
const family = Effect.callback<void>((resume) => {
  const child = spawn("sh", ["-c", "sleep 1000 & echo $!; wait"], { stdio: ["ignore", "pipe", "inherit"] })
  child.stdout.once("data", (data: Buffer) => {
    process.stdout.write(`child ${child.pid}\ngrandchild ${data.toString().trim()}\n`)
    resume(Effect.void)
  })
})

const service = (name: string, close: Effect.Effect<void>) =>
  Service.manage(
    name,
    Layer.effectDiscard(
      Effect.acquireRelease(say(`opened ${name}`), () => Effect.andThen(close, say(`closed ${name}`)))
    )
  )

const at = process.env["BLOCK"]
if (at === "load") {
  process.stdout.write(`job ${process.pid}\nready\n`)
  spin()
}

export default Job.make("stuck", {
  services: Layer.mergeAll(
    service("db", at === "release" ? Effect.andThen(say("blocking"), block) : Effect.void),
    service("cache", Effect.void)
  ),
  run: () =>
    Effect.gen(function*() {
      yield* say(`job ${process.pid}`)
      if (process.env["FAMILY"] !== undefined) yield* family
      if (at === "exit") return void process.once("exit", spin)
      if (at === "run") {
        yield* say("ready")
        return yield* block
      }
      yield* say("ready")
      if (at === "leave") return
      return yield* Effect.never
    })
})
