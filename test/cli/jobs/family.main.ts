// A program that starts trees of processes and leaves them behind, under `launch` or `runMain`.
import { autostop } from "autostop"
import { Effect, Layer } from "effect"
import { startFamilies } from "./family.ts"

const started = Effect.orDie(startFamilies)
const asksForStop = Effect.sync(() => process.kill(process.pid, "SIGTERM"))

if (process.argv[2] === "launch") autostop.launch(Layer.effectDiscard(Effect.andThen(started, asksForStop)))
else autostop.runMain(started)
