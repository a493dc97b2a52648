/** Where a host that is a worker thread begins. */
import * as Effect from "effect/Effect"
import { readlinkSync } from "node:fs"
import { type MessagePort, parentPort } from "node:worker_threads"
import { Notice } from "../internal/notice.ts"
import { hosted } from "./hosted.ts"
import { join } from "./thread.ts"

const begin = (port: MessagePort): void => {
  try {
    port.postMessage(readlinkSync("/proc/thread-self"))
  } catch {
    // only some systems tell
  }
  const fiber = Effect.runFork(hosted({
    onBytes: (listener) => void port.on("message", listener),
    send: (parts) => {
      const whole = join(parts)
      port.postMessage(whole, [whole.buffer])
    },
    flush: () => Promise.resolve(),
    outlive: () => {},
    // it cannot outlive its owner
    lost: new Notice()
  }))
  // whatever its services left in the thread does not keep it alive
  fiber.addObserver((exit) => process.exit(exit._tag === "Success" ? exit.value : 1))
}

if (parentPort !== null) begin(parentPort)
