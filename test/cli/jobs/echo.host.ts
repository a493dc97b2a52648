import { Host, Service } from "autostop"
import { Effect, Layer } from "effect"
import { writeFileSync } from "node:fs"
import { Echo } from "./echo.ts"

const released = process.env["RELEASED"] ?? "/dev/null"
const handlers = Echo.group.toLayer({ pid: () => Effect.sync(() => process.pid) })
const inner = Service.manage(
  "inner",
  // its output ends with the job
  Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => writeFileSync(released, "yes"))))
)

export default Host.serve(Echo, Layer.mergeAll(handlers, inner))
