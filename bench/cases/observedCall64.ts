import { Observability } from "autostop"
import { figures, observedCalls } from "../calls.ts"
import type { Case } from "../case.ts"

export default {
  title: "calls to a thread with metrics and spans, 64 at once, time for each of 10,000 calls",
  figures,
  variants: [
    observedCalls("observed", 64, Observability.layer),
    observedCalls("not observed", 64)
  ],
  targets: [{ figure: "time", peer: "not observed", is: "≤", limit: 1.1 }]
} satisfies Case
