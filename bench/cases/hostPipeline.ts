import { figures, peerCalls, pipelineCalls } from "../calls.ts"
import type { Case } from "../case.ts"
import { piscina } from "../peers.ts"

const inFlight = 64

export default {
  title: `mapParallel over a service in a thread, ${inFlight} at once, in order, time for each of 10,000 elements`,
  figures,
  variants: [
    pipelineCalls("autostop", "thread", inFlight),
    peerCalls("piscina", () => piscina(inFlight), inFlight),
    pipelineCalls("autostop, 256 at once", "thread", 256),
    pipelineCalls("autostop, a process", "process", inFlight),
    pipelineCalls("autostop, in process", "local", inFlight)
  ],
  targets: [{ figure: "time", peer: "piscina", is: "≤", limit: 0.5 }]
} satisfies Case
