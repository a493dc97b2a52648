/** The entry point of a host that is a process. */
import * as Schema from "effect/Schema"
import { Socket } from "node:net"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { configuredDeadline } from "../../internal/policy/programLimits.ts"
import { ParentLink } from "../../process/parentLink.ts"
import { runOwned } from "../../process/runOwned.ts"
import { hostProgram } from "../server/hostProgram.ts"
import type { OwnerConnection } from "../server/ownerConnection.ts"
import { securedArgument } from "./securedArgument.ts"

/** The time that the owner has to read the last frames. */
const lingerMs = 2_000
/** The time in which a guard sends the secret of the connection that it has handed over. */
const secretMs = 10_000

/** Returns the socket for the frames. */
const openSocket = async (): Promise<Socket> => {
  const raw = new Socket({ fd: 3 })
  if (process.argv[2] !== securedArgument) return raw
  const timer = setTimeout(() => process.exit(1), secretMs)
  // hosts of other machines alone need it
  const { securedSocket } = await import("../wire/securedSocket.ts")
  const secured = securedSocket(raw, Buffer.from(await secret, "hex"), "server")
  clearTimeout(timer)
  return secured
}

const link = new ParentLink(Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ secret: Schema.String }))))
const lost = new OneShotLatch()
/** While it is `flushing`, the end of the connection is no loss: it was asked for. */
let state: "connected" | "flushing" | "lost" = "connected"
const onLost = () => {
  if (state !== "connected") return
  state = "lost"
  link.killGroupAtExit()
  lost.open()
}
let take: (secret: string) => void = () => {}
const secret = new Promise<string>((resolve) => void (take = resolve))
// a guard of Ray starts a host for another owner: either of them may be gone
link.listen({ onMessage: ({ secret }) => take(secret), onLost })
const socket = await openSocket()
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
runOwned((owner) => {
  owner.say = () => {}
  return hostProgram(connection)
}, { deadlineMs: configuredDeadline, ownsHandles: true })
