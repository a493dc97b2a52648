// All the layers that need no database, as one application.
import { Effect, Layer } from "effect"
import { autostop } from "../../src/index.ts"
import { combinations } from "./combinations.ts"
import { data } from "./data.ts"
import { http } from "./http.ts"
import { platform } from "./platform.ts"

// a clock that nobody moves is no clock for an application
const { "TestClock.layer": _, ...others } = data
const layers = Object.values({ ...others, ...platform, ...http, ...combinations })
const ready = Layer.effectDiscard(Effect.sync(() => process.stdout.write("ready\n")))

autostop.launch(Layer.provide(ready, Layer.mergeAll(Layer.empty, ...layers)))
