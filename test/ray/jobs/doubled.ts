import { Effect, Schema } from "effect"
import { Host, Job } from "../../../src/index.ts"
import { Lean } from "../../host/services/lean.ts"

export default Job.make("doubled", {
  payload: { n: Schema.Int },
  success: Schema.Int,
  error: Host.HostError,
  services: Host.layer(Lean, { name: "managed/Lean", host: "ray" }),
  run: ({ n }) => Effect.flatMap(Lean, ({ double }) => double({ n }))
})
