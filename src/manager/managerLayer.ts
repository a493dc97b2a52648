/** A manager with its store, its job processes, and the server in front of it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { serveManager, type ServeOptions } from "./http/server.ts"
import { layer as layerService } from "./jobs/managerService.ts"
import type { ManagerOptions } from "./Manager.ts"
import { openLauncher } from "./process/launcher.ts"
import { openStore } from "./store/openStore.ts"

export { Address } from "./http/server.ts"
export { Manager } from "./Manager.ts"

export const layerManager = ({ manager, server, store }: {
  readonly server: ServeOptions
  readonly manager: ManagerOptions
  readonly store: string
}) => {
  const service = Layer.unwrap(Effect.map(openLauncher(manager), (launcher) => layerService(manager, launcher)))
  return Layer.provideMerge(serveManager(server), Layer.provide(service, openStore(store)))
}
