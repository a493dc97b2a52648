/** The entry point of a host that is a process. */
import * as Option from "effect/Option"
import { Socket } from "node:net"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { configuredDeadline } from "../../internal/policy/programLimits.ts"
import { ParentLink } from "../../process/parentLink.ts"
import { runOwned } from "../../process/runOwned.ts"
import { hostProgram } from "../server/hostProgram.ts"
import type { OwnerConnection } from "../server/ownerConnection.ts"

/** The time that the owner has to read the last frames. */
const lingerMs = 2_000

const link = new ParentLink(() => Option.none())
const socket = new Socket({ fd: 3 })
const lost = new OneShotLatch()
/** While it is `flushing`, the end of the connection is no loss: it was asked for. */
let state: "connected" | "flushing" | "lost" = "connected"
const onLost = () => {
  if (state !== "connected") return
  state = "lost"
  link.killGroupAtExit()
  lost.open()
}
socket.once("close", onLost)
socket.on("error", () => {})
const connection: OwnerConnection = {
  onBytes: (listener) => void socket.on("data", listener),
  send: (bytes) => {
    if (socket.writable) socket.write(Buffer.from(bytes))
  },
  flush: () =>
    new Promise((resolve) => {
      if (state === "connected") state = "flushing"
      if (socket.closed) return resolve()
      // a frame that the owner sends to a closed socket would keep it from reading the rest
      socket.once("close", () => resolve())
      setTimeout(() => resolve(), lingerMs).unref()
      socket.end()
    }),
  outlive: (ms) => link.outlive(ms),
  lost
}
// a guard of Ray starts a host for another owner: either of them may be gone
link.listen({ onMessage: () => {}, onLost })
runOwned((owner) => {
  owner.say = () => {}
  return hostProgram(connection)
}, { deadlineMs: configuredDeadline, ownsHandles: true })
