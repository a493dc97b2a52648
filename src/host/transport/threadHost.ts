/** A host that is a worker thread. */
import * as Effect from "effect/Effect"
import { readlinkSync } from "node:fs"
import type { MessagePort } from "node:worker_threads"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { leftoverOf } from "../../process/endDescendants.ts"
import { flush } from "../../process/flushOutput.ts"
import { type Crash, onCrash } from "../../process/crashes.ts"
import { CurrentProcess, type FindLeftovers, type StoppableTask } from "../../process/processContext.ts"
import { threadProcesses } from "../../process/ownedProcesses.ts"
import { hostProgram } from "../server/hostProgram.ts"
import { type Bytes, bytesOf, exiting, post, type ThreadReport } from "./threadMessage.ts"

/**
 * Runs the host. `onBytes` passes on all that is sent to it, from the first byte. Returns a function that exits at once,
 * whatever the host does.
 */
export const begin = (
  port: MessagePort,
  onBytes: (listener: (bytes: Bytes) => void) => void
): (code: number) => never => {
  port.postMessage({ _tag: "Born", task: task() } satisfies ThreadReport)
  const processes = threadProcesses()
  const leftovers: FindLeftovers = (patience) =>
    Effect.promise(async () => (await processes.end(patience)).map(leftoverOf))
  const host = hostProgram({
    onBytes: (listener) => onBytes((bytes) => listener(bytesOf(bytes))),
    send: (bytes) => post(port, bytes),
    flush: () => Promise.resolve(),
    outlive: () => {},
    // a thread cannot outlive its owner
    lost: new OneShotLatch()
  })
  const tasks = new Set<StoppableTask>()
  let crash: Crash | undefined
  const stop = (task: StoppableTask) => {
    if (crash !== undefined) task.stop({ _tag: "Crashed", ...crash })
  }
  const exit = onCrash((next) => {
    crash ??= next
    for (const task of tasks) stop(task)
  })
  const attach = (task: StoppableTask) => {
    tasks.add(task)
    task.stopped.onOpen(() => tasks.delete(task))
    stop(task)
  }
  const fiber = Effect.runFork(Effect.provideService(host, CurrentProcess, { leftovers, attach }))
  fiber.addObserver(async (ended) => {
    // what the services left behind does not keep the thread alive, and ends with it
    processes.kill()
    await ending(port)
    exit(crash?.code ?? (ended._tag === "Success" ? ended.value : 1))
  })
  return exit
}

/** Waits until the output is taken. */
const ending = async (port: MessagePort): Promise<void> => {
  await Promise.all([flush(process.stdout, patienceMs), flush(process.stderr, patienceMs)])
  port.postMessage(exiting, [])
}

/** The time that the owner has to read some more of the output. */
const patienceMs = 5_000

const task = (): string | undefined => {
  try {
    return readlinkSync("/proc/thread-self")
  } catch {
    return undefined
  }
}
