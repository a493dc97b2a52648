import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { exitCode, uncleanCode } from "../../process/exitCode.ts"
import type { Signal } from "../../process/signals.ts"
import { sameRequestText } from "../../process/signalRequests.ts"
import type { Options } from "../../JobManager.ts"
import { startManager } from "../../manager/startManager.ts"
import { CommandContext } from "../commandContext.ts"
import { readEnvFile } from "../flags/readEnvFile.ts"
import { readStore } from "../flags/readStore.ts"
import { durationOf, sizeOf } from "../flags/startFlags.ts"
import { Refusal } from "../refusal.ts"
import { readToken } from "../flags/remoteFlags.ts"
import type { ServeInput } from "../flags/serveFlags.ts"

/** Runs a job manager in this process, until a signal. */
export const runManager = Effect.fnUntraced(function*(input: ServeInput) {
  const context = yield* CommandContext
  const { owner } = context
  const operate = yield* readToken(input.tokenFile)
  const read = yield* readToken(input.readTokenFile, { flag: "--read-token-file", variable: "AUTOSTOP_READ_TOKEN" })
  if (read !== undefined && operate === undefined) {
    return yield* new Refusal({
      message: "a token that only reads is given, but none to operate the manager: give --token-file too"
    })
  }
  const signalled = new OneShotLatch()
  let signal: Signal | undefined
  const options: Options = {
    jobs: input.jobs.map((module) => pathToFileURL(resolve(module))),
    folder: input.data,
    store: yield* readStore(input),
    host: input.host,
    port: input.port,
    tokens: [
      ...(operate === undefined ? [] : [{ token: operate, role: "operate" } as const]),
      ...(read === undefined ? [] : [{ token: read, role: "read" } as const])
    ],
    open: input.open,
    concurrency: input.concurrency,
    spares: input.spares,
    limits: { memory: sizeOf(input.memory), time: durationOf(input.timeLimit) },
    keep: { age: durationOf(input.keepAge), jobs: Option.getOrUndefined(input.keepJobs) },
    env: { each: input.env, byName: yield* readEnvFile(input.envFrom) },
    logs: sizeOf(input.logs),
    requests: {
      body: sizeOf(input.maxBody),
      upload: sizeOf(input.maxUpload),
      connections: Option.getOrUndefined(input.maxConnections),
      queued: Option.getOrUndefined(input.maxQueued),
      bundles: sizeOf(input.maxBundles)
    },
    uploads: input.uploads && { read: input.allowRead, write: input.allowWrite, processes: input.allowProcesses }
  }
  yield* Effect.scoped(Effect.gen(function*() {
    const { jobs, kill, notice, url } = yield* startManager(options, (setting) => flags[setting] ?? `--${setting}`)
    owner.relay = (name, count) => {
      signal ??= name
      if (count === 1) {
        owner.say(
          `${name}: stopping the jobs that run, and taking no new ones. A second signal kills them; ${sameRequestText}.`
        )
      }
      signalled.open()
      if (count === 2) {
        owner.say(`${name}: killing the jobs. A third signal ends the manager at once.`)
        Effect.runFork(kill("a second signal"))
      }
      if (count > 2) {
        owner.say(`${name}: exiting.`)
        owner.programEnded(uncleanCode)
      }
    }
    if (input.open) owner.say("any user of this machine may run code as this user, because of --open.")
    if (notice !== undefined) owner.say(`${notice}.`)
    process.stdout.write(`autostop listens on ${url} (${jobs.length === 0 ? "no jobs" : jobs.join(", ")})\n`)
    yield* signalled.await
  }))
  context.exitCode = exitCode({ isClean: true, signal, own: 0 })
})

/** The flags whose names differ from those of their settings. */
const flags: Readonly<Record<string, string>> = {
  folder: "--data",
  "env.each": "--env",
  "env.byName": "--env-from",
  "keep.age": "--keep-age",
  "keep.jobs": "--keep-jobs",
  "limits.memory": "--memory",
  "limits.time": "--time-limit",
  "requests.body": "--max-body",
  "requests.upload": "--max-upload",
  "requests.connections": "--max-connections",
  "requests.queued": "--max-queued",
  "requests.bundles": "--max-bundles"
}
