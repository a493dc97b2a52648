import { autostopCalls, figures, peerCalls, rpcCalls } from "../calls.ts"
import type { Case } from "../case.ts"
import { piscina, rawThread } from "../peers.ts"

const inFlight = 64

export default {
  title: `calls to a thread, ${inFlight} at once, time for each of 10,000 calls`,
  figures,
  variants: [
    autostopCalls("autostop", "thread", inFlight),
    peerCalls("postMessage", rawThread, inFlight),
    peerCalls("piscina", () => piscina(inFlight), inFlight),
    peerCalls("piscina, one call a thread", piscina, inFlight),
    rpcCalls("effect/rpc", "thread", inFlight),
    autostopCalls("autostop, in process", "local", inFlight)
  ],
  targets: [{ figure: "time", peer: "piscina", is: "≤", limit: 2 }]
} satisfies Case
