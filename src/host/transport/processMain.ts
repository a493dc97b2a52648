/** Where a host that is a process begins. */
import * as Effect from "effect/Effect"
import { Socket } from "node:net"
import { Worker } from "node:worker_threads"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { ownProcess } from "../../process/runOwned.ts"
import { entries } from "../../process/entryPoints.ts"
import { signal } from "../../process/processGroup.ts"
import { hosted } from "../server/hostProgram.ts"
import type { Port } from "../server/ownerConnection.ts"

/** What the watchdog adds to the limit of the services: time to exit. */
const graceMs = 500

/** How long the owner may take to read the last that it was sent. */
const lingerMs = 2_000

const begin = (): void => {
  const watchdog = new Worker(entries.watchdog, { execArgv: [] })
  watchdog.unref()
  const socket = new Socket({ fd: 3 })
  const lost = new OneShotLatch()
  let isOver = false
  const onLost = () => {
    if (!isOver) lost.open()
  }
  socket.once("close", onLost)
  // where its owner is not who started it, either of them may be gone
  watchdog.on("message", onLost)
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
    outlive: (ms) => watchdog.postMessage(ms + graceMs, []),
    lost
  }
  // nothing of the service may begin before its end is seen to
  watchdog.once("online", () =>
    ownProcess((owner) => {
      owner.say = () => {}
      // nobody else is there to end what its services have left behind
      const end = Effect.sync(() => lost.isOpen && signal(-process.pid, "SIGKILL"))
      return Effect.tap(hosted(port), () => end)
    }, { ownsHandles: true }))
}

begin()
