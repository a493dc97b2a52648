/** A manager with its store, and the server in front of it. */
import * as Layer from "effect/Layer"
import { launcher } from "./launcher.ts"
import { layer as layerManager } from "./live.ts"
import type { ManagerOptions } from "./Manager.ts"
import { serveManager, type ServeOptions } from "./server.ts"
import { layerOf } from "./store/layer.ts"

export { Manager } from "./Manager.ts"
export { Address } from "./server.ts"

export const layerServed = ({ manager, served, store }: {
  readonly served: ServeOptions
  readonly manager: ManagerOptions
  readonly store: string
}) => Layer.provideMerge(serveManager(served), Layer.provide(layerManager(manager, launcher), layerOf(store)))
