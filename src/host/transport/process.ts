import { startHostProcess } from "./hostProcess.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Open } from "../caller/hostConnection.ts"
import { forward, tailOf } from "../../process/outputLines.ts"

/** A host in a process of its own, which leads a group of its own: what it starts is killed with it. */
export const openProcess: Open = (onBytes) => {
  const exited = new OneShotLatch()
  const child = startHostProcess()
  const { frames: socket } = child
  if (socket === undefined) throw new Error(child.how())
  forward(child.stdout, process.stdout)
  forward(child.stderr, process.stderr)
  socket.on("data", onBytes)
  // what cannot be sent to one that ended is answered by its end
  socket.on("error", () => {})
  child.ended.onOpen(() => {
    // what it sent before is still to be read; nothing is where it could not be started
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
    kill: child.kill
  }
}
