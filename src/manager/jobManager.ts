import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Context from "effect/Context"
import type * as Scope from "effect/Scope"
import { mkdirSync, realpathSync } from "node:fs"
import { join } from "node:path"
import { type JobManager, JobManagerError, type Options } from "../JobManager.ts"
import { hold } from "./store/folderLock.ts"
import { inspect } from "./process/launcher.ts"
import { defaultPort } from "./models.ts"
import { readOptions } from "./options.ts"

/** Starts a manager, its store and its server, in the Scope of its caller. `nameOf` is what its user calls a setting. */
export const make = (
  options: Options,
  nameOf?: (setting: string) => string
): Effect.Effect<JobManager["Service"], JobManagerError, Scope.Scope> =>
  Effect.gen(function*() {
    const { host, port = defaultPort, tokens } = options
    const named = yield* Effect.mapError(readOptions(options, nameOf), ({ message }) => failure(message))
    // where it really is: what clients bring along may not read the links that lead there
    const folder = yield* Effect.try({
      try: () => {
        mkdirSync(join(named.folder, "results"), { recursive: true })
        return realpathSync(named.folder)
      },
      catch: (error) => failure(`the folder ${named.folder} cannot be written: ${String(error)}`)
    })
    const settings = { ...named, folder }
    yield* Effect.mapError(hold(folder), failure)
    const inspecting = Effect.forEach(options.jobs, (url) => {
      const module = String(url)
      return Effect.mapBoth(inspect(module), { onSuccess: (name) => ({ name, module }), onFailure: failure })
    }, { concurrency: "unbounded" })
    // the modules are loaded in processes of their own, and the server and its database in this one meanwhile
    const inspected = yield* Effect.forkScoped(inspecting, { startImmediately: true })
    const { Address, layerServed, Manager } = yield* Effect.promise(() => import("./served.ts"))
    const jobs = yield* Fiber.join(inspected)
    const names = jobs.map(({ name }) => name)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined) return yield* refuse(`two modules export a job named "${twice}"`)
    const served = layerServed({
      served: { host, port, tokens },
      manager: { ...settings, jobs },
      store: options.store ?? join(folder, "jobs.db")
    })
    const context = yield* Effect.mapError(
      Layer.build(served),
      (error) =>
        failure(error._tag === "ServeError" ? notServed(`${host ?? "127.0.0.1"}:${port}`, error) : error.message)
    )
    const manager = Context.get(context, Manager)
    // before the server goes: until then it says that it is not ready, and tells its clients how their jobs end
    yield* Effect.addFinalizer(() => manager.close)
    yield* manager.begin
    return {
      url: Context.get(context, Address).url,
      jobs: names,
      kill: (reason) => manager.stopRunning({ mode: "kill", reason })
    }
  })

/** The error has no words of its own. */
const notServed = (address: string, { cause }: ServeError): string =>
  hasProperty(cause, "code") && cause.code === "EADDRINUSE"
    ? `something else listens on ${address} already: stop it, or use another port`
    : `it cannot listen on ${address}: ${cause instanceof Error ? cause.message : String(cause)}`

const failure = (message: string) => new JobManagerError({ message })
const refuse = (message: string) => Effect.fail(failure(message))
