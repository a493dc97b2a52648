/** A manager with its store, its job processes, and the server in front of it. */
import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { serveManager, type ServeOptions } from "./http/server.ts"
import { layer as layerService } from "./jobs/managerService.ts"
import type { Launcher } from "./JobProcess.ts"
import type { ManagerOptions } from "./Manager.ts"
import { openStore } from "./store/openStore.ts"

export { Address } from "./http/server.ts"
export { Manager } from "./Manager.ts"

export const layerManager = ({ launcher, manager, server, store, telemetry }: {
  /** The telemetry for the service of the jobs and for the server. */
  readonly telemetry: { readonly jobs: Context.Context<never>; readonly server: Context.Context<never> }
  readonly server: ServeOptions
  readonly manager: ManagerOptions
  readonly store: string
  readonly launcher: Launcher
}) =>
  Layer.provideMerge(
    Layer.provide(serveManager(server), Layer.succeedContext(telemetry.server)),
    Layer.provide(layerService(manager, launcher), [openStore(store), Layer.succeedContext(telemetry.jobs)])
  )
