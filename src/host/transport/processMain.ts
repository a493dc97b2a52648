/** The entry point of a host that is a process. */
import * as Effect from "effect/Effect"
import { Socket } from "node:net"
import { Worker } from "node:worker_threads"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { entries } from "../../process/entryPoints.ts"
import { signal } from "../../process/processGroup.ts"
import { ownProcess } from "../../process/runOwned.ts"
import { hostProgram } from "../server/hostProgram.ts"
import type { OwnerConnection } from "../server/ownerConnection.ts"

/** What the watchdog adds to the limit of the services: time to exit. */
const graceMs = 500

/** How long the owner may take to read the last frames. */
const lingerMs = 2_000

const begin = (): void => {
  const watchdog = new Worker(entries.watchdog, { execArgv: [] })
  watchdog.unref()
  const socket = new Socket({ fd: 3 })
  const lost = new OneShotLatch()
  let isFlushing = false
  const onLost = () => {
    if (!isFlushing) lost.open()
  }
  socket.once("close", onLost)
  // a guard of Ray's starts a host for another owner: either of them may be gone
  watchdog.on("message", onLost)
  socket.on("error", () => {})
  const owner: OwnerConnection = {
    onBytes: (listener) => void socket.on("data", listener),
    send: (bytes) => {
      if (socket.writable) socket.write(Buffer.from(bytes))
    },
    flush: () =>
      new Promise((resolve) => {
        isFlushing = true
        if (socket.closed) return resolve()
        // a frame that the owner sends to a closed socket would keep it from reading the rest
        socket.once("close", () => resolve())
        setTimeout(() => resolve(), lingerMs).unref()
        socket.end()
      }),
    outlive: (ms) => watchdog.postMessage(ms + graceMs, []),
    lost
  }
  // no service may start before the watchdog can end it
  watchdog.once("online", () =>
    ownProcess((processOwner) => {
      processOwner.say = () => {}
      // without an owner nothing else ends what the services have left behind
      const end = Effect.sync(() => lost.isOpen && signal(-process.pid, "SIGKILL"))
      return Effect.tap(hostProgram(owner), () => end)
    }, { ownsHandles: true }))
}

begin()
