import { Host } from "autostop"
import { Effect, Layer } from "effect"
import { Family, startFamilies } from "./family.ts"

const handlers = Family.group.toLayer({ pid: () => Effect.sync(() => process.pid) })

export default Host.serve(Family, Layer.provideMerge(handlers, Layer.effectDiscard(Effect.orDie(startFamilies))))
