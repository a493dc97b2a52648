import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { Host } from "../../src/index.ts"
import { Surroundings } from "./surroundings.ts"

export default Host.serve(
  Surroundings,
  Surroundings.group.toLayer({
    look: ({ file, variable }) =>
      Effect.sync(() => ({ text: readFileSync(file, "utf8"), value: process.env[variable] ?? "" }))
  })
)
