import { autostop, layers } from "./services.ts"
import type { Case } from "../case.ts"
import { plain } from "../probes.ts"

export default {
  title: "10,000 plain layers started and stopped as services, and the memory of each while all are up",
  figures: { time: "ms", memory: "bytes" },
  variants: [
    { name: "autostop", run: () => autostop(plain) },
    { name: "Effect Layers", run: layers }
  ],
  targets: [
    { figure: "time", peer: "Effect Layers", is: "≤", limit: 1.5 },
    { figure: "memory", peer: "Effect Layers", is: "≤", limit: 1.3 }
  ]
} satisfies Case
