/** Starts a job manager: its folder, its registered jobs, its store and its server. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { realpathSync } from "node:fs"
import { join } from "node:path"
import { messageOf } from "../base/errorText.ts"
import { showValue } from "../base/illegalOption.ts"
import { JobManagerError, type Options, type StartedManager } from "./jobManagerOptions.ts"
import { type JobVariables, variablesOf } from "./jobVariables.ts"
import type { RegisteredJob } from "./Manager.ts"
import { checkAccess, managerTokens } from "./managerTokens.ts"
import { defaultPort, JobName, nameForm } from "./models.ts"
import { childSettings } from "./process/jobChild.ts"
import { type LocalLauncher, makeLauncher } from "./process/launcher.ts"
import { readServerLimits } from "./http/serverLimits.ts"
import { readOptions } from "./readOptions.ts"
import { createPrivateFolder } from "./privateFiles.ts"
import { readInt } from "./readSettings.ts"
import { ResultFiles } from "./resultFile.ts"
import { cannotWrite, lockFolder } from "./store/folderLock.ts"
import { isTelemetryOn } from "../telemetry/withTelemetry.ts"

/**
 * Starts a manager in the Scope of its caller. `nameOf` returns what its user calls an option; `notice` is what its user should
 * know, although the manager runs.
 */
export const startManager = (
  options: Options,
  nameOf?: (setting: string) => string
): Effect.Effect<StartedManager & { readonly notice: string | undefined }, JobManagerError, Scope.Scope> =>
  Effect.gen(function*() {
    const { host } = options
    yield* Effect.mapError(checkAccess(options, nameOf), failure("settings"))
    const port = yield* Effect.mapError(readPort(options, nameOf), failure("settings"))
    const settings = yield* Effect.mapError(readOptions(options, nameOf), failure("settings"))
    const limits = yield* Effect.mapError(readServerLimits(options, nameOf), failure("settings"))
    const folder = yield* createFolder(settings.folder)
    yield* lockFolder(folder).pipe(Effect.mapError(failure("folder")))
    yield* withoutDebugger
    const { own, prove, publish, tokens, unpublish } = yield* Effect.mapError(
      managerTokens(options, folder),
      failure("folder")
    )
    const launcher = yield* Effect.acquireRelease(
      Effect.sync(() =>
        makeLauncher({
          places: settings.concurrency,
          memory: settings.limits.memory ?? defaultCheckMemory,
          spares: {
            // uploaded code has no use for them
            most: options.jobs.length === 0 ? 0 : settings.spares,
            settings: () => childSettings({ limits: settings.limits, env: variablesOf(settings.variables) })
          }
        })
      ),
      ({ close }) => close
    )
    // modules are loaded in processes of their own while this process loads the server and its database
    const registering = yield* Effect.forkScoped(register(options.jobs, launcher, settings.variables), {
      startImmediately: true
    })
    const { Address, layerManager, Manager } = yield* Effect.promise(() => import("./managerLayer.ts"))
    const jobs = yield* Fiber.join(registering)
    const telemetry = isTelemetryOn()
      ? yield* Effect.flatMap(
        // this is loaded here, because most managers export nothing
        Effect.promise(() => import("./openManagerTelemetry.ts")),
        ({ openManagerTelemetry }) => openManagerTelemetry
      )
      : { jobs: Context.empty(), server: Context.empty() }
    const context = yield* Layer.build(layerManager({
      telemetry,
      server: { host, port, tokens, limits, prove },
      manager: { ...settings, folder, jobs },
      store: options.store ?? join(folder, "jobs.db"),
      launcher
    })).pipe(Effect.mapError((error) => {
      switch (error._tag) {
        case "StoreError":
          return failure("store")(error)
        case "ServeRefused":
          return failure("address")(error)
        case "ServeError":
          return failure("address")({ message: cannotListen(`${host ?? "127.0.0.1"}:${port}`, error) })
      }
    }))
    const manager = Context.get(context, Manager)
    const { url } = Context.get(context, Address)
    const notice = publish(url)
    yield* Effect.addFinalizer(() => Effect.sync(unpublish))
    // this is added last, so that it runs before the server stops: clients can read until then how their jobs end
    yield* Effect.addFinalizer(() => manager.close)
    yield* manager.begin
    return {
      url,
      token: own,
      jobs: jobs.map(({ name }) => name),
      notice,
      kill: (reason) => manager.stopRunning({ mode: "kill", reason })
    }
  })

/**
 * Keeps the signal that opens Node's debugger from doing so: who may send it would have the tokens, the store and the jobs of
 * the manager. A manager that is started with `--inspect` has its debugger.
 */
const withoutDebugger = Effect.acquireRelease(
  Effect.sync(() => void process.on("SIGUSR1", ignored)),
  () => Effect.sync(() => void process.off("SIGUSR1", ignored))
)

const ignored = (): void => {}

const readPort = ({ port = defaultPort }: Options, nameOf = (setting: string) => setting) =>
  readInt(nameOf("port"), port, 0, 65_535)

/**
 * Creates the folder, which nobody else may enter: payloads, results and the token lie there. Returns the real path, because
 * uploaded code may not read the links that lead to it.
 */
const createFolder = (folder: string): Effect.Effect<string, JobManagerError> =>
  Effect.flatMap(
    Effect.try({
      try: () => {
        const fault = createPrivateFolder(folder)
        if (fault === undefined) new ResultFiles(folder).create()
        return fault
      },
      catch: (error) => failure("folder")({ message: cannotWrite(folder, error) })
    }),
    (fault) =>
      fault === undefined
        ? Effect.sync(() => realpathSync(folder))
        : Effect.fail(failure("folder")({ message: fault }))
  )

/** The memory for the check of submissions if jobs have no limit, in bytes. */
const defaultCheckMemory = 1024 * 1024 * 1024

/** The number of modules that may wait for their check at once. */
const modulesAtOnce = 64

const register = Effect.fnUntraced(
  function*(urls: Options["jobs"], { inspect }: LocalLauncher, variables: JobVariables) {
    const jobs = yield* Effect.forEach(urls, (url) => {
      const module = String(url)
      return Effect.mapBoth(inspect(module, { env: variablesOf(variables) }), {
        onSuccess: (name): RegisteredJob => ({ name, module }),
        onFailure: failure("module")
      })
    }, { concurrency: modulesAtOnce })
    const names = jobs.map(({ name }) => name)
    const odd = names.find((name) => !Schema.is(JobName)(name))
    if (odd !== undefined) {
      return yield* failure("module")({
        message: `the name ${showValue(odd)} of a job cannot be submitted; expected ${nameForm}`
      })
    }
    const duplicate = names.find((name, index) => names.indexOf(name) !== index)
    if (duplicate === undefined) return jobs
    return yield* failure("module")({
      message: `two modules export a job named "${duplicate}": register only one of them`
    })
  }
)

const cannotListen = (address: string, { cause }: ServeError): string =>
  hasProperty(cause, "code") && cause.code === "EADDRINUSE"
    ? `another process listens on ${address}: stop it, or use another port`
    : `cannot listen on ${address}: ${messageOf(cause)}`

const failure = (reason: JobManagerError["reason"]) => ({ message }: { readonly message: string }) =>
  new JobManagerError({ reason, message })
