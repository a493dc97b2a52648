import * as Effect from "effect/Effect"
import * as Host from "../../../src/Host.ts"
import { Lean } from "./lean.ts"

export default Host.serve(Lean, Lean.group.toLayer({ double: ({ n }) => Effect.succeed(2 * n) }))
