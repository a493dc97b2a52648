import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { encodeAutostop } from "../../manager/client/encodeAutostop.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import { CommandLine } from "../commandLine.ts"
import { followEvents } from "./feeds.ts"
import { loadJob } from "../loadJob.ts"
import { autostopOf, flagsOf, readPayload, startFlags } from "../flags/startFlags.ts"
import { printReport } from "../views/reportOutput.ts"
import { print } from "../views/progress.ts"
import { asRefusal, Refusal } from "../refusal.ts"
import { runFlags, runOptionsOf } from "../flags/runFlags.ts"
import { ask, remoteFlags, say } from "../flags/remoteFlags.ts"

const flags = {
  ...remoteFlags,
  job: Argument.String("job").pipe(
    Argument.withDescription(
      "The name of a job that is registered at the manager, or a module to bundle and bring along"
    )
  ),
  id: Flag.String("id").pipe(Flag.withDescription("An id of your own: sent twice, it is the same job"), Flag.optional),
  ...runFlags,
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait for its end, show what happens, and exit as the job would"),
    Flag.withDefault(false)
  ),
  ...startFlags
}

/** `autostop submit JOB`. */
export const submitCommand = Command.make("submit", flags, (input) =>
  Effect.gen(function*() {
    const autostop = yield* encodeAutostop(yield* autostopOf(input))
    const payload = yield* readPayload(input.payload)
    // safe: flags are texts
    const stopPolicy = flagsOf(input).settings as Record<string, string>
    const runOptions = yield* runOptionsOf(input)
    const brought = isModule(input.job) ? yield* bring(input.job) : { job: input.job, bundled: undefined }
    // known here, it can be asked for also where the answer is lost
    const id = Option.getOrElse(input.id, () => crypto.randomUUID())
    yield* ask(input, (client, url) =>
      Effect.gen(function*() {
        const { obstacle, submitBundled } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
        const { owner } = yield* CommandLine
        const leave = owner.relay
        const unsure = `it is not known whether job ${id} was submitted; "autostop status ${id}" tells`
        let left = unsure
        owner.relay = (signal, count) => {
          if (count === 1) owner.say(`${signal}: ${left}.`)
          leave?.(signal, count)
        }
        const submitted = submitBundled(
          client,
          {
            job: brought.job,
            ...(brought.bundled && { bundle: brought.bundled.hash }),
            ...runOptions,
            autostop,
            stopPolicy,
            id,
            // safe: it was read from JSON
            ...(payload === undefined ? {} : { payload: payload as Schema.Json })
          },
          brought.bundled
        )
        const info = yield* Effect.mapError(
          submitted,
          (error) => obstacle(error) === "lost" ? new Refusal({ message: `the connection was lost: ${unsure}` }) : error
        )
        left = `job ${id} goes on at the manager; "autostop stop ${id}" stops it`
        if (input.wait) return yield* wait(client, url, id, input.format)
        if (input.format === "json") return say(JSON.stringify(info))
        say(process.stdout.isTTY ? `${info.id}  ${info.job} is ${info.state}` : info.id)
      }))
  }).pipe(
    Effect.mapError(asRefusal)
  )).pipe(Command.withDescription("Submits a job to a manager"))

/** A name has no extension, and no folder. */
const isModule = (job: string): boolean => /[/\\]|\.[cm]?[jt]sx?$/.test(job)

/** A job that the manager does not have: its name, and its code. */
const bring = Effect.fnUntraced(function*(module: string) {
  const { name } = yield* loadJob(module, loadMs)
  const { bundle } = yield* Effect.promise(() => import("../../manager/code/bundler.ts"))
  return { job: name, bundled: yield* Effect.mapError(bundle(module), (message) => new Refusal({ message })) }
})

/** How long a module may take to load, which is done for the name of its job. */
const loadMs = 30_000

/** Shows what happens until the job has stopped. */
const wait = (client: Client, url: string, id: string, format: "pretty" | "json") =>
  Effect.gen(function*() {
    const { retryTransient } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    const commandLine = yield* CommandLine
    yield* followEvents(client, url, id, (event) => print(event, format))
    const report = yield* retryTransient(client.jobs.report({ params: { id } }))
    printReport(format, report)
    commandLine.exitCode = report.clean ? (report.outcome === "succeeded" ? 0 : 1) : 3
  })
