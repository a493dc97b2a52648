import { Layer } from "effect"
import { combinations } from "./combinations.ts"
import { data } from "./data.ts"
import { http } from "./http.ts"
import { platform } from "./platform.ts"
import { storage } from "./storage.ts"

/** Layers by name. They need nothing, and whatever they provide is no concern of the test. */
export type Layers = Readonly<Record<string, Layer.Layer<never, unknown>>>

/** The layers of Effect's own packages, and layers as people make them of its resources. `database` is the URL of an empty one. */
export const adopted = (database: string): Layers => ({
  ...data,
  ...platform,
  ...http,
  ...storage(database),
  ...combinations
})
