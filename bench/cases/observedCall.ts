import { Observability } from "autostop"
import { figures, observedCalls } from "../calls.ts"
import type { Case } from "../case.ts"

export default {
  title: "a call to a thread with metrics and spans, one after the other, time for each of 10,000 calls",
  figures,
  variants: [
    observedCalls("observed", 1, Observability.layer),
    observedCalls("not observed", 1)
  ],
  targets: [{ figure: "time", peer: "not observed", is: "≤", limit: 1.1 }]
} satisfies Case
