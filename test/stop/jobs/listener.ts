// A service one of whose fibers dies while the job runs.
import { Effect, Layer } from "effect"
import { Service } from "../../../src/index.ts"
import { jobWith, piece } from "./act.ts"

const listen = Effect.forkScoped(Effect.andThen(Effect.sleep("200 millis"), Effect.die(new Error("connection lost"))))
export default jobWith("listener", piece("db").layer, Service.manage("listener", Layer.effectDiscard(listen)))
