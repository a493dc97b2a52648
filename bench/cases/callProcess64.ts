import { autostopCalls, figures, peerCalls, rpcCalls } from "../calls.ts"
import type { Case } from "../case.ts"
import { rawProcess } from "../peers.ts"

const inFlight = 64

export default {
  title: `calls to a process, ${inFlight} at once, time for each of 10,000 calls`,
  figures,
  variants: [
    autostopCalls("autostop", "process", inFlight),
    peerCalls("fork, json", () => rawProcess("json"), inFlight),
    peerCalls("fork, advanced", () => rawProcess("advanced"), inFlight),
    rpcCalls("effect/rpc", "process", inFlight)
  ],
  targets: [
    { figure: "time", peer: "fork, json", is: "≤", limit: 2 },
    { figure: "time", peer: "fork, advanced", is: "≤", limit: 2 }
  ]
} satisfies Case
