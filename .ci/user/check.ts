import { Environment, Host, Job, JobManager, LocalEnvironment, RemoteEnvironment, StopReport } from "autostop"
import { assertClean } from "autostop/testing"
import { Context, Effect, Exit, Layer, Schema } from "effect"
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { Greeter } from "./greeter.ts"
import hello from "./hello.ts"

const decode = (text: string) => Schema.decodeUnknownSync(StopReport)(JSON.parse(text))

const reported = decode(readFileSync("report.json", "utf8"))
assertClean(reported)
assert.equal(reported.services[0]?.name, "user/Hello")

const submit = Effect.gen(function*() {
  const run = yield* Environment.submit(hello, { name: "Grace" }, { autostop: true })
  return yield* run.result
})
const { exit, report } = await Effect.runPromise(submit.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
assertClean(report)
assert.equal(exit._tag, "Success")

for (const host of ["local", "thread", "process"] as const) {
  const greet = Job.make("greet", {
    success: Schema.String,
    error: Host.HostError,
    services: Host.layer(Greeter, { host }),
    run: () => Greeter.use((greeter) => greeter.greet({ name: "Ada" }))
  })
  const run = Effect.flatMap(Environment.submit(greet, {}, { autostop: true }), (run) => run.result)
  const { exit, report } = await Effect.runPromise(run.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
  assertClean(report)
  const pid = report.services[0]?.pid ?? process.pid
  assert.equal(pid === process.pid, host !== "process")
  assert.deepEqual(exit, Exit.succeed(`Hello, Ada, from ${pid}`))
}

// a contract is enough, and its module is brought along
const there = Job.make("hello", {
  module: new URL("./hello.ts", import.meta.url).href,
  payload: { name: Schema.String },
  success: Schema.String
})
const remote = Effect.gen(function*() {
  const { url } = Context.get(yield* Layer.build(JobManager.layer({ jobs: [], folder: "data", port: 0 })), JobManager)
  const run = Effect.flatMap(Environment.submit(there, { name: "Edsger" }), (run) => run.result)
  return yield* Effect.provide(run, RemoteEnvironment.layer({ url }))
})
const brought = await Effect.runPromise(Effect.scoped(remote))
assertClean(brought.report)
assert.deepEqual(brought.exit, Exit.succeed("Hello, Edsger!"))

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  const args = ["node_modules/autostop/dist/bin.js", "run", "hello.ts", "--payload", `{"name":"Ada","wait":true}`]
  const child = spawn(process.execPath, [...args, "--format", "json"], { stdio: ["ignore", "pipe", "inherit"] })
  let out = ""
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk
    if (out.includes("Hello, Ada!") && !child.killed) child.kill(signal)
  })
  const [exitCode] = await once(child, "close")
  assert.equal(exitCode, code)
  const last = decode(out.trim().split("\n").at(-1) ?? "")
  assertClean(last)
  assert.equal(last.trigger, "signal")
}
console.log("the packed package works")
