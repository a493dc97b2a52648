/** A manager with its store, and the server in front of it. */
import * as Layer from "effect/Layer"
import { launcher } from "./process/launcher.ts"
import { layer as layerManager } from "./jobs/liveManager.ts"
import type { ManagerOptions } from "./Manager.ts"
import { serveManager, type ServeOptions } from "./http/server.ts"
import { layerOf } from "./store/layer.ts"

export { Address } from "./http/server.ts"
export { Manager } from "./Manager.ts"

export const layerServed = ({ manager, served, store }: {
  readonly served: ServeOptions
  readonly manager: ManagerOptions
  readonly store: string
}) => Layer.provideMerge(serveManager(served), Layer.provide(layerManager(manager, launcher), layerOf(store)))
