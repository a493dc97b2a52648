/** Where a host that is a process begins. */
import * as Option from "effect/Option"
import { Socket } from "node:net"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { configuredDeadline } from "../../internal/policy/configuredDeadline.ts"
import { ParentLink } from "../../process/parentLink.ts"
import { runOwned } from "../../process/runOwned.ts"
import { hosted } from "../server/hostProgram.ts"
import type { Port } from "../server/ownerConnection.ts"

/** How long the owner may take to read the last that it was sent. */
const lingerMs = 2_000

const link = new ParentLink(() => Option.none())
const socket = new Socket({ fd: 3 })
const lost = new OneShotLatch()
let isOver = false
const onLost = () => {
  if (isOver) return
  link.killGroupAtExit()
  lost.open()
}
socket.once("close", onLost)
socket.on("error", () => {})
const port: Port = {
  onBytes: (listener) => void socket.on("data", listener),
  send: (bytes) => {
    if (socket.writable) socket.write(Buffer.from(bytes))
  },
  flush: () =>
    new Promise((resolve) => {
      isOver = true
      if (socket.closed) return resolve()
      // what the owner sends to a socket that is gone would keep it from reading the rest
      socket.once("close", () => resolve())
      setTimeout(() => resolve(), lingerMs).unref()
      socket.end()
    }),
  outlive: (ms) => link.outlive(ms),
  lost
}
await link.ready
// the parent need not be the owner: either of them may be gone
link.listen({ onMessage: () => {}, onLost })
runOwned((owner) => {
  owner.say = () => {}
  return hosted(port)
}, { deadlineMs: configuredDeadline, ownsHandles: true })
