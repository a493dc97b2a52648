import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { encodeAutostop } from "../../manager/client/encodeAutostop.ts"
import { idForm, JobId } from "../../manager/models.ts"
import { CommandContext } from "../commandContext.ts"
import { moduleUrl } from "../flags/moduleArgument.ts"
import { remoteFlags } from "../flags/remoteFlags.ts"
import { autostopOf, policySourceOf, readPayload, startFlags } from "../flags/startFlags.ts"
import { runOptionsOf, submitFlags } from "../flags/submitFlags.ts"
import { asRefusal, Refusal } from "../refusal.ts"
import { askManager } from "../remote/askManager.ts"
import { refusedIfLost, unknownState } from "../remote/lostSubmit.ts"
import { printSubmitted } from "../views/jobRows.ts"
import { showUntilStopped } from "../views/remoteProgress.ts"

const flags = {
  ...remoteFlags,
  job: Argument.String("job").pipe(
    Argument.withDescription(
      "The name of a job that the manager has, or a module to bundle and upload"
    )
  ),
  id: Flag.String("id").pipe(
    Flag.withDescription("An id of your own: a job that is submitted again with its id is the same job"),
    Flag.filter(Schema.is(JobId), () => idForm),
    Flag.optional
  ),
  ...submitFlags,
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait until the job has stopped, show what happens, and exit with its exit code"),
    Flag.withDefault(false)
  ),
  ...startFlags
}

/** The command `autostop submit JOB`. */
export const submitCommand = Command.make("submit", flags, (input) =>
  Effect.gen(function*() {
    const autostop = yield* encodeAutostop(yield* autostopOf(input))
    const payload = yield* readPayload(input.payload)
    // safe: flags are texts
    const stopPolicy = policySourceOf(input).settings as Record<string, string>
    const runOptions = yield* runOptionsOf(input)
    const uploaded = isModule(input.job) ? yield* bundleOf(input.job) : { job: input.job, bundled: undefined }
    // the id is made here, so that the job can be found even if the answer is lost
    const id = Option.getOrElse(input.id, () => crypto.randomUUID())
    yield* askManager(input, (client, url) =>
      Effect.gen(function*() {
        const { submitBundled } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
        const context = yield* CommandContext
        const { owner } = context
        const { relay } = owner
        let state = unknownState(id)
        owner.relay = (signal, count) => {
          if (count === 1) owner.say(`${signal}: ${state}.`)
          relay?.(signal, count)
        }
        const submitted = submitBundled(
          client,
          {
            job: uploaded.job,
            ...(uploaded.bundled && { bundle: uploaded.bundled.hash }),
            ...runOptions,
            autostop,
            stopPolicy,
            id,
            // safe: it was read from JSON
            ...(payload === undefined ? {} : { payload: payload as Schema.Json })
          },
          uploaded.bundled
        )
        const info = yield* refusedIfLost(id)(submitted)
        state = `job ${id} goes on at the manager; "autostop stop ${id}" stops it`
        if (input.wait) context.exitCode = yield* showUntilStopped(client, url, id, input.format)
        else printSubmitted(input.format, info)
      }))
  }).pipe(
    Effect.mapError(asRefusal)
  )).pipe(Command.withDescription("Submits a job to a manager"))

/** Returns true for the path of a module: the name of a job has neither an extension nor a folder. */
const isModule = (job: string): boolean => /[/\\]|\.[cm]?[jt]sx?$/.test(job)

/** Returns the name of the job of a module, and its code. */
const bundleOf = Effect.fnUntraced(function*(module: string) {
  const { bundle } = yield* Effect.promise(() => import("../../manager/code/bundler.ts"))
  const refused = (message: string) => new Refusal({ message })
  yield* moduleUrl(module)
  const bundled = yield* Effect.mapError(bundle(module), refused)
  const { inspectBundle } = yield* Effect.promise(() => import("../../manager/process/launcher.ts"))
  // the name of the job is needed; a process of its own loads the code, because that may hang or exit
  return { job: yield* Effect.mapError(inspectBundle(module, bundled), refused), bundled }
})
