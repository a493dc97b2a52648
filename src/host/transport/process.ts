import * as Effect from "effect/Effect"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { forward, tailOf } from "../../process/outputLines.ts"
import type { OpenHost } from "../caller/hostConnection.ts"
import { startHostProcess } from "./hostProcess.ts"

/** A host in a process of its own, which leads a process group: what it starts is killed with it. */
export const openProcess: OpenHost = (onBytes) => {
  const exited = new OneShotLatch()
  const child = startHostProcess()
  const { frames: socket } = child
  if (socket === undefined) throw new Error(child.how())
  forward(child.stdout, process.stdout)
  forward(child.stderr, process.stderr)
  socket.on("data", onBytes)
  // a frame that cannot be sent is answered by the end of the host
  socket.on("error", () => {})
  child.ended.onOpen(() => {
    // what the host sent before may still have to be read, unless it could not be started
    if (socket.closed || child.pid === undefined) exited.open()
    else socket.once("close", () => exited.open())
  })
  return {
    pid: child.pid,
    exited,
    exit: child.how,
    stderr: tailOf(child.stderr),
    send: (bytes) => {
      if (socket.writable) socket.write(Buffer.from(bytes))
    },
    leftover: child.leftover,
    kill: (limitMs) => Effect.promise(() => child.kill(limitMs))
  }
}
