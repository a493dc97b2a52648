import { autostopCalls, figures, peerCalls, rpcCalls } from "../calls.ts"
import type { Case } from "../case.ts"
import { piscina, rawThread } from "../peers.ts"

export default {
  title: "a call to a thread, one after the other, time for each of 10,000 calls",
  figures,
  variants: [
    autostopCalls("autostop", "thread", 1),
    peerCalls("postMessage", rawThread, 1),
    peerCalls("piscina", piscina, 1),
    rpcCalls("effect/rpc", "thread", 1),
    autostopCalls("autostop, in process", "local", 1)
  ],
  targets: [
    { figure: "time", peer: "postMessage", is: "≤", limit: 1.5 },
    { figure: "time", peer: "piscina", is: "≤", limit: 1.5 }
  ]
} satisfies Case
