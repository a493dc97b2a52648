import { Layer } from "effect"
import { combinations } from "./combinations.ts"
import { data } from "./data.ts"
import { http } from "./http.ts"
import { platform } from "./platform.ts"
import { storage } from "./storage.ts"

/** Layers by name. They need nothing, and whatever they provide is no concern of the test. */
export type Layers = Readonly<Record<string, Layer.Layer<never, unknown>>>

/** Those that have nothing to release. */
export const idle: ReadonlySet<string> = new Set([
  "Cache",
  "NodeFileSystem.layer",
  "NodePath.layer",
  "NodeStdio.layer",
  "NodeCrypto.layer",
  "Dns.layerStatic",
  "NodeChildProcessSpawner.layer",
  "NodeDatagramSocket.layer",
  "NodeSocket.layerWebSocket",
  "NodeHttpPlatform.layer",
  "FetchHttpClient.layer",
  "NodeHttpClient.dispatcherLayerGlobal",
  "KeyValueStore.layerMemory",
  "Persistence.layerMemory",
  "Persistence.layerKvs",
  "PersistedQueue.layer",
  "RateLimiter.layer",
  "CircuitBreaker.layerStoreMemory",
  "EventJournal.layerMemory",
  "MessageStorage.layerMemory",
  "RunnerStorage.layerMemory",
  "Snowflake.layerGenerator",
  "a Stream in a scope"
])

/** The layers of Effect's own packages, and layers as people make them of its resources. `database` is the URL of an empty one. */
export const adopted = (database: string): Layers => ({
  ...data,
  ...platform,
  ...http,
  ...storage(database),
  ...combinations
})
