import * as Layer from "effect/Layer"
import { LocalEnvironment } from "../../src/index.ts"
import { Where } from "./cases.ts"
import { runCases } from "./runCases.ts"

runCases("local", Layer.succeed(Where, { environment: LocalEnvironment.layer }))
