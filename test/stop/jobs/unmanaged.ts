// A plain layer whose finalizer dies, over a service.
import { Effect, Layer } from "effect"
import { jobWith, piece } from "./act.ts"

const broken = Layer.effectDiscard(Effect.addFinalizer(() => Effect.die(new Error("the pool broke"))))
export default jobWith("unmanaged", Layer.provide(broken, piece("db").layer))
